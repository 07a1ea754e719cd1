"""Disputes as the provider tells them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.repositories import disputes
from app.domain.payments import DECIDED, DisputeStatus
from app.ports.provider import Object


@dataclass(frozen=True)
class Mirrored:
    """A payment's disputes, and those of them that have another state than when they were last looked at."""

    rows: Sequence[Row[Any]] = ()
    turned: Sequence[Row[Any]] = ()


async def mirror(
    connection: AsyncConnection, payment: Row[Any], told: Sequence[Object], *, now: datetime
) -> Mirrored:
    """What the provider tells becomes ours."""
    if not told:
        return Mirrored()
    known = {row.stripe_dispute_id: row for row in await disputes.of_payment(connection, payment.id)}
    for dispute in told:
        row = known.get(dispute["id"])
        if row is None:
            await _add(connection, payment, dispute, now=now)
        elif row.status != dispute["status"]:
            status = DisputeStatus(dispute["status"])
            await disputes.change(connection, row.id, status=status, closed_at=_closed(status, now), now=now)
    rows = await disputes.of_payment(connection, payment.id)
    before = {row.id: row.status for row in known.values()}
    return Mirrored(rows=rows, turned=[row for row in rows if before.get(row.id) != row.status])


async def _add(connection: AsyncConnection, payment: Row[Any], dispute: Object, *, now: datetime) -> None:
    status = DisputeStatus(dispute["status"])
    await disputes.add(
        connection,
        dispute_id=new_id(),
        payment_id=payment.id,
        stripe_dispute_id=dispute["id"],
        status=status,
        amount_cents=dispute["amount"],
        currency=dispute["currency"].upper(),
        reason=dispute["reason"],
        opened_at=datetime.fromtimestamp(dispute["created"], UTC),
        closed_at=_closed(status, now),
        now=now,
    )


def _closed(status: DisputeStatus, now: datetime) -> datetime | None:
    return now if status in DECIDED else None
