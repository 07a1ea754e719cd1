"""Refunds: those that the provider tells of, ours or made elsewhere, and those that settling asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.repositories import outbox, payments, refunds
from app.domain.outbox import Topic
from app.domain.payments import COUNTED_REFUNDS, RefundStatus
from app.ports.provider import Object

MADE_ELSEWHERE = "made at the payment provider"


@dataclass(frozen=True)
class Mirrored:
    """A payment's refunds: ``made`` since they were last looked at, ``failed`` after they had been made."""

    rows: Sequence[Row[Any]] = ()
    made: Sequence[Row[Any]] = ()
    failed: Sequence[Row[Any]] = ()

    @property
    def refunded_cents(self) -> int:
        """What went back: without what is only set aside for it."""
        return sum(row.amount_cents for row in self.rows if _went(row))


async def mirror(
    connection: AsyncConnection, payment: Row[Any], told: Sequence[Object], *, now: datetime
) -> Mirrored:
    """What the provider tells becomes ours, ``refunded_cents`` with it."""
    known = await refunds.of_payment(connection, payment.id)
    heard = {row.stripe_refund_id: row for row in known if row.stripe_refund_id is not None}
    unheard = {str(row.id): row for row in known if row.stripe_refund_id is None}
    for refund in reversed(told):  # the oldest first, as our ids sort
        row = heard.get(refund["id"]) or unheard.pop(_named(refund), None)
        if row is None:
            await _add(connection, payment.id, refund, now=now)
        else:
            await _change(connection, row, refund, now=now)
    if not told and not known:
        return Mirrored()
    rows = await refunds.of_payment(connection, payment.id)
    held = sum(row.amount_cents for row in rows if row.status in COUNTED_REFUNDS)
    await payments.change(connection, payment.id, refunded_cents=min(held, payment.amount_cents), now=now)
    before = {row.id for row in known if _went(row)}
    made = [row for row in rows if _went(row) and row.id not in before]
    for row in made:
        about = {"refund_id": str(row.id)}
        await outbox.add(connection, Topic.REFUND_ISSUED, about, now=now, key=f"refund.issued:{row.id}")
    return Mirrored(
        rows=rows,
        made=made,
        failed=[row for row in rows if not _went(row) and row.id in before],
    )


def _named(refund: Object) -> str:
    """Which of ours it says it is: the answer that named its id may have been lost."""
    metadata: Mapping[str, str] = refund.get("metadata") or {}
    return metadata.get("refund_id", "")


async def _add(connection: AsyncConnection, payment_id: UUID, refund: Object, *, now: datetime) -> None:
    await refunds.add(
        connection,
        refund_id=new_id(),
        payment_id=payment_id,
        amount_cents=refund["amount"],
        currency=refund["currency"].upper(),
        reason=refund.get("reason") or MADE_ELSEWHERE,
        requested_by=None,
        check_at=None,
        status=_status(refund),
        stripe_refund_id=refund["id"],
        failure_code=refund.get("failure_reason"),
        now=now,
    )


async def _change(connection: AsyncConnection, row: Row[Any], refund: Object, *, now: datetime) -> None:
    if (row.stripe_refund_id, row.status) != (refund["id"], _status(refund)):
        await refunds.change(
            connection,
            row.id,
            stripe_refund_id=refund["id"],
            status=_status(refund),
            failure_code=refund.get("failure_reason"),
            check_at=None,
            now=now,
        )


def _status(refund: Object) -> RefundStatus:
    return RefundStatus(refund["status"] or RefundStatus.PENDING)


def _went(row: Row[Any]) -> bool:
    """The provider has made it, and it has not failed."""
    return row.stripe_refund_id is not None and row.status in COUNTED_REFUNDS


async def give_back_all(
    connection: AsyncConnection, payment: Row[Any], *, reason: str, now: datetime
) -> None:
    """Asks for the whole payment to go back; the sweeper makes it so at its next turn."""
    if await payments.reserve_refund(connection, payment.id, amount_cents=payment.amount_cents):
        await refunds.add(
            connection,
            refund_id=new_id(),
            payment_id=payment.id,
            amount_cents=payment.amount_cents,
            currency=payment.currency,
            reason=reason,
            requested_by=None,
            check_at=now,
            now=now,
        )
