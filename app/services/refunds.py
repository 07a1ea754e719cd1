"""Refunds: staff give back a payment, or a part of it; never more than was paid."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.repositories import accounts, audit, idempotency, payments, refunds
from app.domain.errors import (
    DomainError,
    InvalidInput,
    InvalidState,
    NotFound,
    PaymentRefused,
    PaymentUnconfirmed,
)
from app.domain.idempotency import check_key, fingerprint
from app.domain.payments import FIRST_CHECK, PaymentStatus, RefundStatus
from app.domain.slugs import clean_line
from app.ports.provider import ProviderError, ProviderRefused
from app.settlement import leases, refunding
from app.settlement.tools import Tools

OPERATION = "refundPayment"
LONGEST_REASON = 200


@dataclass(frozen=True)
class Order:
    """``amount_cents`` None: all that is left."""

    payment_id: UUID
    amount_cents: int | None
    reason: str
    idempotency_key: str


@dataclass(frozen=True)
class Ordered:
    """``problem``: why it is not made, although it is written down."""

    refund_id: UUID
    problem: DomainError | None = None


async def refund(
    tools: Tools, order: Order, *, actor_id: UUID, address: str | None, now: datetime
) -> Ordered:
    """The same key with the same input gives the same again.

    Raises InvalidInput (also for more than is left), IdempotencyMismatch, NotFound, InvalidState (nothing was
    paid), Unauthenticated (the account ended); then nothing was changed.
    """
    check_key(order.idempotency_key)
    reason = clean_line(order.reason, field="reason", limit=LONGEST_REASON)
    async with tools.database.transaction() as connection:
        refund_id, replayed = await _enter(
            connection, order, reason, actor_id=actor_id, address=address, now=now
        )
    return Ordered(refund_id, await _make(tools, refund_id, replayed=replayed))


async def _enter(
    connection: AsyncConnection,
    order: Order,
    reason: str,
    *,
    actor_id: UUID,
    address: str | None,
    now: datetime,
) -> tuple[UUID, bool]:
    """The row of the refund, its amount set aside; and whether it was there."""
    await accounts.hold(connection, actor_id)
    refund_id = new_id()
    earlier = await idempotency.claim(
        connection,
        user_id=actor_id,
        operation=OPERATION,
        key=order.idempotency_key,
        request_hash=_hash(order),
        result_id=refund_id,
        now=now,
    )
    if earlier is not None:
        return earlier, True
    payment = await payments.by_id(connection, order.payment_id)
    if payment is None:
        raise NotFound("A payment with this id", field="paymentId")
    amount_cents = await _set_aside(connection, payment, order.amount_cents)
    details: dict[str, Any] = {"amount_cents": amount_cents, "reason": reason}
    await refunds.add(
        connection,
        refund_id=refund_id,
        payment_id=payment.id,
        currency=payment.currency,
        requested_by=actor_id,
        check_at=now + FIRST_CHECK,
        now=now,
        **details,
    )
    await audit.note(
        connection,
        "refund_payment",
        actor_id=actor_id,
        subject_id=payment.id,
        address=address,
        now=now,
        refund=str(refund_id),
        **details,
    )
    return refund_id, False


def _hash(order: Order) -> str:
    return fingerprint(
        {"paymentId": str(order.payment_id), "amountCents": order.amount_cents, "reason": order.reason}
    )


async def _set_aside(connection: AsyncConnection, payment: Row[Any], asked: int | None) -> int:
    """The amount, in minor units. Raises InvalidInput, InvalidState."""
    if payment.status != PaymentStatus.SUCCEEDED:
        raise InvalidState(what="The payment", state=payment.status, action="be refunded")
    if asked is not None and asked < 1:
        raise InvalidInput("amountCents", "Give back 1 or more, in minor units.")
    left = payment.amount_cents - payment.refunded_cents
    amount_cents = asked if asked is not None else left
    if left == 0:
        raise InvalidState(what="The payment", state="refunded", action="be refunded again")
    if not await payments.reserve_refund(connection, payment.id, amount_cents=amount_cents):
        raise InvalidInput("amountCents", f"At most {left} of this payment can be given back.")
    return amount_cents


async def _make(tools: Tools, refund_id: UUID, *, replayed: bool) -> DomainError | None:
    """Why it is not made; of one that is made, or has failed, that is to be seen from its state.

    What was asked for before is looked for first: the provider may have forgotten its key. And an event may
    tell what the lost answer did not.
    """
    current = await _asked(tools, refund_id)
    if current.check_at is None:
        return _refused_before(current)
    try:
        await (refunding.settle if replayed else refunding.refund)(tools, refund_id)
    except ProviderRefused as refused:
        return PaymentRefused(str(refused), reason=refused.code)
    except (ProviderError, leases.Busy, leases.Lost):
        current = await _asked(tools, refund_id)
        return PaymentUnconfirmed() if current.check_at is not None else _refused_before(current)
    return None


async def _asked(tools: Tools, refund_id: UUID) -> Row[Any]:
    async with tools.database.read() as connection:
        return await refunds.asked(connection, refund_id)


def _refused_before(current: Row[Any]) -> DomainError | None:
    if current.status == RefundStatus.FAILED and current.stripe_refund_id is None:
        return PaymentRefused("as it did before", reason=current.failure_code)
    return None
