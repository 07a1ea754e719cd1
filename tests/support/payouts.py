"""Authors who are paid: the documents by which, and a shop whose provider has the money."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app import jobs
from app.db.models import Author, Payout
from app.db.repositories import authors
from app.domain.api_keys import Role, grantable
from app.schema.node import global_id
from tests.support.clients import Account, Api, make_key, sign_up, sign_up_as
from tests.support.ledger import Shelf, make_shelf
from tests.support.payments import Shop

FIELDS = """payout { id authorId status method reference failureCode paidAt createdAt
    amount { amountCents currency } returned { amountCents } } errors { code message path
    ... on InsufficientBalance { available { amountCents } minimum { amountCents } } ... on InvalidState { state } }"""
CONNECT = """mutation($input: ConnectPayoutsInput!) { connectPayouts(input: $input) {
    url expiresAt errors { code path } } }"""
REQUEST = f"mutation($input: RequestPayoutInput!) {{ requestPayout(input: $input) {{ {FIELDS} }} }}"
CREATE = f"mutation($input: CreatePayoutInput!) {{ createPayout(input: $input) {{ {FIELDS} }} }}"
MARK_PAID = f"mutation($input: MarkPayoutPaidInput!) {{ markPayoutPaid(input: $input) {{ {FIELDS} }} }}"
CANCEL = f"mutation($input: CancelPayoutInput!) {{ cancelPayout(input: $input) {{ {FIELDS} }} }}"
BALANCE = """query($id: ID!) { node(id: $id) { ... on Author { payoutsEnabled balance { currency
    available { amountCents } pending { amountCents } paidOut { amountCents } lifetime { amountCents } }
    payouts { totalCount edges { node { id status } } } } } }"""


@dataclass
class Payee:
    """An author who sells; ``account`` asks by a key, which lasts when the clock is moved."""

    shop: Shop
    account: Account
    shelf: Shelf

    @property
    def author_id(self) -> str:
        return global_id("Author", self.shelf.author.id)

    async def earn(self, cents: int, *, currency: str = "USD") -> None:
        """Sales of which the author's share, available at once, is ``cents``."""
        now = self.shop.api.clock() - self.shop.api.deps.commission.hold
        await self.shelf.sell(cents * 10 // 8, currency=currency, now=now)

    async def connect(self) -> None:
        given = {"returnUrl": "https://shop.test/payouts"}
        made = (await self.account.api(CONNECT, input=given)).payload()
        assert made["errors"] == []
        self.shop.stand_in.control.post(made["url"])

    async def request(self, key: str = "k", *, currency: str = "USD", cents: int | None = None) -> Any:
        given = {"currency": currency, "idempotencyKey": key, "amountCents": cents}
        return (await self.account.api(REQUEST, input=given)).payload()

    async def books(self) -> Any:
        return (await self.account.api(BALANCE, id=self.author_id)).payload()

    async def available(self) -> int:
        return int((await self.books())["balance"][0]["available"]["amountCents"])


async def make_payee(shop: Shop, *, name: str = "olive") -> Payee:
    account = await lasting(shop.api, await sign_up(shop.api, name=name), Role.AUTHOR)
    database = shop.api.deps.database
    async with database.read() as connection:
        author = await authors.by_username_key(connection, name)
    return Payee(shop, account, await make_shelf(database, author=author))


async def connected(shop: Shop, cents: int = 5_000) -> Payee:
    payee = await make_payee(shop)
    await payee.connect()
    await payee.earn(cents)
    return payee


async def lasting(api: Api, account: Account, role: Role) -> Account:
    if role is Role.AUTHOR:
        (await account.api("mutation { becomeAuthor { errors { code } } }")).payload()
    account.api = api.as_(await make_key(account, *(scope.name for scope in grantable(role))))
    return account


async def make_admin(shop: Shop) -> Account:
    return await lasting(shop.api, await sign_up_as(shop.api, Role.ADMIN), Role.ADMIN)


def fund(shop: Shop, cents: int = 1_000_000) -> None:
    """Money that the provider holds for us and may send."""
    given: Any = {
        "amount": cents,
        "currency": "usd",
        "confirm": True,
        "payment_method": "pm_card_bypassPending",
    }
    shop.stand_in.client().v1.payment_intents.create({**given, "off_session": True})


def transfers(shop: Shop) -> list[Any]:
    return list(shop.stand_in.client().v1.transfers.list({"limit": 100}).data)


async def sweep(shop: Shop) -> None:
    """As the chore does."""
    await jobs.settle_payouts(shop.api.deps)


async def payout_rows(shop: Shop) -> list[Any]:
    async with shop.api.deps.database.read() as connection:
        return list((await connection.execute(select(Payout.__table__).order_by(Payout.id))).all())


async def account_of(shop: Shop, payee: Payee) -> str:
    async with shop.api.deps.database.read() as connection:
        statement = select(Author.stripe_account_id).where(Author.id == payee.shelf.author.id)
        return str((await connection.execute(statement)).scalar_one())
