"""Refunds: what is to be given back, and what the provider says became of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import Payment, Refund
from app.domain.payments import RefundStatus

REFUND: tuple[Any, ...] = (
    Refund.id,
    Refund.payment_id,
    Refund.status,
    Refund.amount_cents,
    Refund.currency,
    Refund.reason,
    Refund.failure_code,
    Refund.created_at,
)
_WHOLE: tuple[Any, ...] = (*REFUND, Refund.stripe_refund_id, Refund.requested_by)
_ASKED: tuple[Any, ...] = (*_WHOLE, Refund.check_at, Payment.stripe_payment_intent_id)


async def add(
    connection: AsyncConnection,
    *,
    refund_id: UUID,
    payment_id: UUID,
    amount_cents: int,
    currency: str,
    reason: str,
    requested_by: UUID | None,
    check_at: datetime | None,
    now: datetime,
    status: RefundStatus = RefundStatus.PENDING,
    stripe_refund_id: str | None = None,
    failure_code: str | None = None,
) -> None:
    """Whoever adds one has set its amount aside, or mirrors one that the provider has made."""
    await connection.execute(
        insert(Refund).values(
            id=refund_id,
            payment_id=payment_id,
            status=status,
            amount_cents=amount_cents,
            currency=currency,
            reason=reason,
            requested_by=requested_by,
            stripe_refund_id=stripe_refund_id,
            failure_code=failure_code,
            created_at=now,
            updated_at=now,
            check_at=check_at,
        )
    )


async def of_payment(connection: AsyncConnection, payment_id: UUID) -> Sequence[Row[Any]]:
    """In the order in which they were asked for."""
    statement = select(*_WHOLE).where(Refund.payment_id == payment_id).order_by(Refund.id)
    return (await connection.execute(statement)).all()


async def asked(connection: AsyncConnection, refund_id: UUID) -> Row[Any]:
    """With the provider's id of what is refunded."""
    statement = select(*_ASKED).join(Payment, Payment.id == Refund.payment_id).where(Refund.id == refund_id)
    return (await connection.execute(statement)).one()


async def change(connection: AsyncConnection, refund_id: UUID, *, now: datetime, **values: Any) -> None:
    await connection.execute(update(Refund).where(Refund.id == refund_id).values(updated_at=now, **values))


async def refuse(
    connection: AsyncConnection, refund_id: UUID, *, failure_code: str | None, now: datetime
) -> bool:
    """The provider will not make it; False where it has."""
    statement = (
        update(Refund)
        .where(
            Refund.id == refund_id,
            Refund.stripe_refund_id.is_(None),
            Refund.status == RefundStatus.PENDING,
        )
        .values(status=RefundStatus.FAILED, failure_code=failure_code, check_at=None, updated_at=now)
    )
    return (await connection.execute(statement)).rowcount == 1


async def is_due(connection: AsyncConnection, *, now: datetime) -> bool:
    """Asked first: a claim takes the writer, and mostly nothing is due."""
    return (
        await connection.execute(select(Refund.id).where(Refund.check_at <= now).limit(1))
    ).first() is not None


async def claim_due(
    connection: AsyncConnection, *, limit: int, until: datetime, now: datetime
) -> Sequence[UUID]:
    """Refunds to be made, or whose answer was lost, which nobody else claims before ``until``."""
    due = (
        select(Refund.id)
        .where(Refund.check_at <= now)
        .order_by(Refund.check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(Refund)
        .where(Refund.id.in_(due.scalar_subquery()), Refund.check_at <= now)
        .values(check_at=until)
        .returning(Refund.id)
    )
    return (await connection.execute(statement)).scalars().all()
