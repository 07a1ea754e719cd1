"""Payments and payment methods, as they are shown."""

from typing import Any

from app.db.models import Payment, PaymentMethod

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
