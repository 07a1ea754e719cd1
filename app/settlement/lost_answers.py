"""Lost answers: an intent that names a payment of ours, although nobody here was told that it was made.

It becomes the payment's where that waits for one. Where the purchase is over without it, nobody shall pay it
any more: it is cancelled. An intent of an invoice, or of a purchase that is open, is never cancelled here.
"""

from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import outbox, payments
from app.domain.outbox import Topic
from app.domain.payments import PAYABLE, Flag, PaymentStatus, payment_status
from app.domain.purchases import PurchaseStatus
from app.ports.provider import Object, ProviderRefused
from app.settlement.flags import raise_flag
from app.settlement.tools import Tools


async def named_by(connection: AsyncConnection, tools: Tools, intent: Object) -> Row[Any] | None:
    """The payment that the intent says it is of. Money for one that nobody knows is for a person."""
    payment_id = _payment_id(intent)
    if payment_id is None:
        return None
    found = await payments.by_id(connection, payment_id)
    if found is None:
        await _flag_money(connection, tools, payment_id, intent)
    return found


def _payment_id(intent: Object) -> UUID | None:
    try:
        return UUID(intent["metadata"]["payment_id"])
    except (KeyError, ValueError):
        return None


async def _flag_money(connection: AsyncConnection, tools: Tools, payment_id: UUID, intent: Object) -> None:
    if intent["status"] == PaymentStatus.SUCCEEDED:
        now = tools.clock()
        await raise_flag(connection, Flag.STRAY, payment_id=payment_id, now=now, intent=intent["id"])


async def adopt(
    connection: AsyncConnection,
    tools: Tools,
    *,
    purchase: Row[Any] | None,
    payment: Row[Any],
    intent: Object,
) -> bool:
    """Whether it is the payment's from now on. Whoever calls holds payer, purchase and payment."""
    now = tools.clock()
    if _is_abandoned(purchase, intent):
        about, key = {"intent_id": intent["id"]}, f"{Topic.INTENT_ABANDONED}:{intent['id']}"
        await outbox.add(connection, Topic.INTENT_ABANDONED, about, now=now, key=key)
        return False
    if payment.stripe_payment_intent_id is not None:
        await _flag_money(connection, tools, payment.id, intent)
        return False
    secret: str | None = intent["client_secret"]
    await payments.record_intent(
        connection, payment.id, intent_id=intent["id"], client_secret=secret, check_at=now, now=now
    )
    return True


def _is_abandoned(purchase: Row[Any] | None, intent: Object) -> bool:
    """It could still be paid, and for nothing: the purchase was given up, or paid by another intent."""
    return (
        purchase is not None
        and purchase.status != PurchaseStatus.PENDING
        and payment_status(intent["status"]) in PAYABLE
    )


async def cancel(tools: Tools, intent_id: str) -> None:
    """Of what is abandoned, unless it is being paid: then what that means is seen when it is looked up.

    A purchase that is over is never open again; only the intent may stand otherwise than when it was found.
    Raises ProviderError.
    """
    intent = await tools.provider.payment_intents.get(intent_id)
    if intent is not None and payment_status(intent["status"]) in PAYABLE:
        with suppress(ProviderRefused):
            await tools.provider.payment_intents.cancel(intent_id, key=f"abandoned-{intent_id}")
