"""Does the database say what the payment provider's own ledger says? For tests that end in any state at all.

Milder than ``agreement`` in one thing: an intent may stay that nobody here knows, and so nobody can pay, where
the answer that told of it was lost and its purchase was given up a day later.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import (
    Base,
    Invoice,
    LedgerLine,
    Licence,
    OutboxFact,
    Payment,
    Purchase,
    Subscription,
    User,
)
from app.domain.outbox import Topic
from app.domain.subscriptions import LIVE
from tests.support.payments import Shop

ENTITLING = ("trialing", "active", "past_due")
LOST = ("lost",)
OPEN = ("needs_response", "under_review")
SETTLED = ("paid", "void", "uncollectible", "open")


async def contradictions(shop: Shop, users: Iterable[UUID]) -> list[str]:
    """What is otherwise here than there, of these accounts; the provider's own contradictions too."""
    told = shop.stand_in.look("/ledger")
    found = [f"provider: {problem}" for problem in told["problems"]]
    async with shop.api.deps.database.read() as connection:
        for user_id in users:
            found += await _of_user(connection, shop, told, user_id)
        lines = await _rows(connection, LedgerLine)
    total = sum(line.amount_cents for line in lines)
    return found + ([f"the ledger sums to {total}"] if total else [])


async def _rows(connection: AsyncConnection, model: type[Base], **where: Any) -> list[Any]:
    table = model.__table__
    statement = select(*table.columns).where(*(table.c[name] == value for name, value in where.items()))
    return list((await connection.execute(statement)).all())


async def _of_user(connection: AsyncConnection, shop: Shop, told: Any, user_id: UUID) -> list[str]:
    [user] = await _rows(connection, User, id=user_id)
    payments = {
        row.stripe_payment_intent_id: row for row in await _rows(connection, Payment, user_id=user_id)
    }
    purchases = {row.id: row for row in await _rows(connection, Purchase, user_id=user_id)}
    licences = {row.purchase_id: row for row in await _rows(connection, Licence, user_id=user_id)}
    facts = Counter(
        str(row.payload.get("purchase_id"))
        for row in await _rows(connection, OutboxFact, topic=Topic.PURCHASE_COMPLETED)
    )
    found = []
    for intent in told["payments"]:
        if intent["customer"] == user.stripe_customer_id:
            payment = payments.get(intent["payment_intent"])
            purchase = purchases.get(payment.purchase_id) if payment is not None else None
            licence = licences.get(purchase.id) if purchase is not None else None
            times = facts[str(purchase.id)] if purchase is not None else 0
            found += _of_payment(intent, payment, purchase, licence, times)
    return found + await _of_subscriptions(connection, shop, told, user)


def _of_payment(intent: Any, payment: Any, purchase: Any, licence: Any, facts: int) -> list[str]:
    name = intent["payment_intent"]
    if payment is None:  # nobody was told its secret, so nobody can pay it
        return [] if intent["status"] == "requires_payment_method" else [f"{name} is not here"]
    found = _differences(
        name,
        status=(payment.status, intent["status"]),
        amount=(payment.amount_cents, intent["amount"]),
        refunded=(payment.refunded_cents, intent["amount_refunded"]),
    )
    if intent["succeeded_charges"] > 1:
        found.append(f"{name} was charged {intent['succeeded_charges']} times")
    if purchase is None:
        return found
    owned, rights = _entitlement(intent)
    return found + _differences(
        f"{name}'s purchase",
        completed=(purchase.status == "completed", owned),
        licence=(licence.status if licence else None, rights),
        facts=(facts, 1 if rights else 0),
    )


def _entitlement(intent: Any) -> tuple[bool, str | None]:
    """(the purchase stands, the licence's state): entitled if paid and not refunded, lost or suspended."""
    if intent["status"] != "succeeded":
        return False, None
    if intent["amount_refunded"] >= intent["amount"] or set(LOST) & set(intent["disputes"]):
        return False, "revoked"
    return True, "suspended" if set(OPEN) & set(intent["disputes"]) else "active"


async def _of_subscriptions(connection: AsyncConnection, shop: Shop, told: Any, user: Any) -> list[str]:
    rows = await _rows(connection, Subscription, user_id=user.id)
    by_id = {row.stripe_subscription_id: row for row in rows}
    theirs = [each for each in told["subscriptions"] if each["customer"] == user.stripe_customer_id]
    found = []
    for each in theirs:
        row = by_id.get(each["subscription"])
        if row is None:
            found.append(f"{each['subscription']} is not here")
        else:
            found += _differences(each["subscription"], status=(row.status, each["status"]))
    entitled = [by_id[each["subscription"]].tier for each in theirs if each["status"] in ENTITLING]
    live = [row for row in rows if row.status in LIVE]
    found += _differences(
        f"user {user.id}",
        live_subscriptions=(len(live), 1),
        tier=(user.tier, entitled[0] if entitled else "free"),
        anchors=(len({row.anchor_at for row in rows}), 1),
    )
    return found + await _of_invoices(connection, shop, user)


async def _of_invoices(connection: AsyncConnection, shop: Shop, user: Any) -> list[str]:
    mirrored = {row.stripe_invoice_id: row for row in await _rows(connection, Invoice, user_id=user.id)}
    found = []
    for invoice in shop.stand_in.sandbox.world.all("invoice"):
        if invoice["customer"] != user.stripe_customer_id or invoice["status"] not in SETTLED:
            continue
        row = mirrored.get(invoice["id"])
        if row is None:
            found.append(f"{invoice['id']} is not here")
        else:
            found += _differences(
                invoice["id"],
                status=(row.status, invoice["status"]),
                total=(row.total_cents, invoice["total"]),
                paid=(row.amount_paid_cents, invoice["amount_paid"]),
            )
    return found


def _differences(name: str, **pairs: tuple[Any, Any]) -> list[str]:
    return [
        f"{name}: {what} is {ours!r}, not {theirs!r}"
        for what, (ours, theirs) in pairs.items()
        if ours != theirs
    ]
