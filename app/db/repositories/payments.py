"""Payments and payment methods, as they are shown, and where a payment stands."""

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import Payment, PaymentMethod
from app.domain.payments import PaymentStatus

PAYMENT: tuple[Any, ...] = (
    Payment.id,
    Payment.user_id,
    Payment.status,
    Payment.amount_cents,
    Payment.refunded_cents,
    Payment.currency,
    Payment.created_at,
)
PAYMENT_METHOD: tuple[Any, ...] = (
    PaymentMethod.id,
    PaymentMethod.user_id,
    PaymentMethod.kind,
    PaymentMethod.brand,
    PaymentMethod.last4,
    PaymentMethod.exp_month,
    PaymentMethod.exp_year,
    PaymentMethod.is_default,
)
KEPT = PaymentMethod.removed_at.is_(None)
"""What was removed is not shown any more."""


async def note_status(
    connection: AsyncConnection, *, intent_id: str, status: PaymentStatus, now: datetime
) -> None:
    await connection.execute(
        update(Payment)
        .where(Payment.stripe_payment_intent_id == intent_id)
        .values(status=status, updated_at=now)
    )
