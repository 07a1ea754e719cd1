"""A paid package, its author, and somebody who buys it: in a shop that takes payments."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.db.database import Database
from app.db.ids import new_id
from app.db.models import (
    AuditEntry,
    Dispute,
    LedgerLine,
    Licence,
    OutboxFact,
    Package,
    Payment,
    Purchase,
    Refund,
    UsageCounter,
)
from app.domain.outbox import Topic
from app.domain.plans import Resource
from app.domain.settlement import Kind, Target
from app.schema.node import global_id, split_id
from app.settlement.checks import settle_due
from app.settlement.syncing import sync
from tests.support import factories
from tests.support.clients import Account, Api, make_key, sign_up
from tests.support.payments import Shop

BUY = """mutation($input: PurchasePackageInput!) { purchasePackage(input: $input) {
    purchase { id status receiptNumber amount { amountCents } licence { status } }
    payment { id status attempt failureCode clientSecret amount { amountCents } }
    errors { code message ... on PaymentDeclined { declineCode } ... on PaymentRefused { reason } } } }"""
PRICE = 1999


def uuid_of(id: str) -> UUID:
    split = split_id(id)
    assert split is not None
    return split[1]


@dataclass
class Stall:
    """One package at a price, and its buyer. Nothing is settled by itself: there is no webhook."""

    shop: Shop
    buyer: Account
    author: SimpleNamespace
    package: SimpleNamespace
    version: SimpleNamespace
    key: Api
    """The buyer, also after days."""

    @property
    def database(self) -> Database:
        return self.shop.api.deps.database

    @property
    def buyer_id(self) -> UUID:
        return uuid_of(self.buyer.id)

    async def buy(self, *, by: Account | None = None, **given: Any) -> Any:
        values = {"packageId": global_id("Package", self.package.id), "idempotencyKey": str(new_id())}
        answer = await (by.api if by else self.key)(BUY, input={**values, **given})
        return answer.payload()

    async def buy_and_pay(self, card: str = "pm_card_visa") -> str:
        """The intent of a completed purchase."""
        bought = await self.buy()
        assert bought["errors"] == []
        intent_id = await self.intent_id()
        self.shop.act(intent_id, "pay", card=card)
        await self.settle()
        return intent_id

    async def intent_id(self) -> str:
        return str((await self.payment()).stripe_payment_intent_id)

    async def settle(self) -> None:
        """As a webhook would."""
        for payment in await self.rows(Payment):
            if payment.stripe_payment_intent_id:
                await sync(self.shop.api.deps.tools, Target(Kind.PAYMENT, payment.stripe_payment_intent_id))

    def settler(self, intent_id: str) -> Callable[[], Awaitable[None]]:
        """The same for one, without a look at our rows."""
        return lambda: sync(self.shop.api.deps.tools, Target(Kind.PAYMENT, intent_id))

    async def sweep(self, **by: float) -> int:
        """As the chore does, later."""
        if by:
            self.shop.forward(**by)
        return await settle_due(self.shop.api.deps.tools)

    async def rows(self, model: Any) -> list[Any]:
        columns = model.__table__.columns
        statement = select(*columns).order_by(*model.__table__.primary_key.columns)
        async with self.database.read() as connection:
            return list((await connection.execute(statement)).all())

    async def payment(self) -> Any:
        """The only one, or the newest."""
        return (await self.rows(Payment))[-1]

    async def states(self) -> tuple[Any, ...]:
        """(purchase, licence, payment, sales, templates used, promised, facts) of the only purchase."""
        [purchase], licences = await self.rows(Purchase), await self.rows(Licence)
        [payment] = await self.rows(Payment)
        package = next(row for row in await self.rows(Package) if row.id == self.package.id)
        used, promised = await self.templates()
        return (
            purchase.status,
            [licence.status for licence in licences],
            payment.status,
            package.sales,
            used,
            promised,
            len(await self.facts(Topic.PURCHASE_COMPLETED)),
        )

    async def templates(self) -> tuple[int, int]:
        """Used and promised of the buyer's."""
        counters = [
            row
            for row in await self.rows(UsageCounter)
            if row.resource == Resource.TEMPLATE_INSTALL and row.user_id == self.buyer_id
        ]
        return sum(row.used for row in counters), sum(row.reserved for row in counters)

    async def facts(self, topic: Topic) -> list[Any]:
        return [row.payload for row in await self.rows(OutboxFact) if row.topic == topic]

    async def books(self) -> dict[str, int]:
        """The sums of the accounts; together they are zero."""
        sums: dict[str, int] = {}
        for line in await self.rows(LedgerLine):
            sums[line.account] = sums.get(line.account, 0) + line.amount_cents
        assert sum(sums.values()) == 0
        return {account: amount for account, amount in sorted(sums.items()) if amount}

    async def refunds(self) -> list[tuple[Any, ...]]:
        return [(row.status, row.amount_cents) for row in await self.rows(Refund)]

    async def disputes(self) -> list[str]:
        return [row.status for row in await self.rows(Dispute)]

    async def flags(self) -> list[str]:
        rows = await self.rows(AuditEntry)
        return [row.details["flag"] for row in rows if row.action == "payment_flagged"]

    def made(self, what: str) -> list[int]:
        """The amounts of the provider's refunds or charges, the newest first."""
        found = self.shop.stand_in.form("GET", f"/v1/{what}").json()["data"]
        return [each["amount"] for each in found]

    def intents(self) -> list[Any]:
        """The provider's, the newest first."""
        found: list[Any] = self.shop.stand_in.form("GET", "/v1/payment_intents").json()["data"]
        return found

    def charges(self) -> list[Any]:
        found = self.shop.stand_in.form("GET", "/v1/charges").json()["data"]
        return [each["status"] for each in found]


@pytest.fixture
async def stall(shop: Shop, database: Database) -> Stall:
    buyer = await sign_up(shop.api, name="olive")
    author = await factories.make_author(database, user=await factories.make_user(database))
    package = await factories.make_package(
        database, author=author, slug="theme", name="Theme", price_cents=PRICE
    )
    version = await factories.make_version(database, package=package)
    key = shop.api.as_(await make_key(buyer, "READ", "PURCHASE"))
    return Stall(shop, buyer, author, package, version, key)
