"""Disputes: payments that a payer's bank wants back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import Dispute

DISPUTE: tuple[Any, ...] = (
    Dispute.id,
    Dispute.payment_id,
    Dispute.status,
    Dispute.amount_cents,
    Dispute.currency,
    Dispute.reason,
    Dispute.opened_at,
    Dispute.closed_at,
)
_WHOLE: tuple[Any, ...] = (*DISPUTE, Dispute.stripe_dispute_id)


async def of_payment(connection: AsyncConnection, payment_id: UUID) -> Sequence[Row[Any]]:
    statement = select(*_WHOLE).where(Dispute.payment_id == payment_id)
    return (await connection.execute(statement)).all()


async def add(
    connection: AsyncConnection,
    *,
    dispute_id: UUID,
    payment_id: UUID,
    stripe_dispute_id: str,
    now: datetime,
    **values: Any,
) -> None:
    await connection.execute(
        insert(Dispute).values(
            id=dispute_id,
            payment_id=payment_id,
            stripe_dispute_id=stripe_dispute_id,
            updated_at=now,
            **values,
        )
    )


async def change(connection: AsyncConnection, dispute_id: UUID, *, now: datetime, **values: Any) -> None:
    await connection.execute(update(Dispute).where(Dispute.id == dispute_id).values(updated_at=now, **values))
