"""Where our rows of the provider's objects stand: to compare before and after one was looked up again."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import desc, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import (
    AuditEntry,
    Author,
    Dispute,
    Invoice,
    Licence,
    Payment,
    PaymentMethod,
    Payout,
    Purchase,
    Refund,
    Subscription,
    User,
)
from app.db.rows import Row, Select
from app.domain.payments import DisputeStatus, InvoiceStatus, PaymentStatus, RefundStatus
from app.domain.settlement import Kind, Target
from app.domain.subscriptions import OVER

SUBJECT = UUID("0198c1f0-0000-7000-8000-7265636f6e63")
"""What the audit entries of reconciliations are about."""
_OURS = Payment.stripe_payment_intent_id
_OPEN: Mapping[Kind, tuple[Select, ...]] = MappingProxyType(
    {
        Kind.CUSTOMER: (
            select(User.stripe_customer_id.label("object_id"))
            .join(Subscription, Subscription.user_id == User.id)
            .where(Subscription.stripe_subscription_id.is_not(None), Subscription.status.not_in(OVER)),
        ),
        Kind.SUBSCRIPTION: (
            select(Subscription.stripe_subscription_id.label("object_id")).where(
                Subscription.status.not_in(OVER)
            ),
        ),
        Kind.PAYMENT: (
            select(_OURS.label("object_id")).where(
                Payment.status.not_in([PaymentStatus.SUCCEEDED, PaymentStatus.CANCELED])
            ),
            select(_OURS.label("object_id"))
            .join(Refund, Refund.payment_id == Payment.id)
            .where(Refund.status.in_([RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION])),
            select(_OURS.label("object_id"))
            .join(Dispute, Dispute.payment_id == Payment.id)
            .where(
                Dispute.status.not_in(
                    [
                        DisputeStatus.WON,
                        DisputeStatus.LOST,
                        DisputeStatus.WARNING_CLOSED,
                        DisputeStatus.PREVENTED,
                    ]
                )
            ),
        ),
        Kind.INVOICE: (
            select(Invoice.stripe_invoice_id.label("object_id")).where(
                Invoice.status.not_in([InvoiceStatus.PAID, InvoiceStatus.VOID])
            ),
        ),
        Kind.ACCOUNT: (
            select(Author.stripe_account_id.label("object_id")).where(Author.stripe_account_id.is_not(None)),
        ),
    }
)
_STANDING: Mapping[Kind, Mapping[str, Select]] = MappingProxyType(
    {
        Kind.CUSTOMER: {
            "payment method": select(
                PaymentMethod.stripe_payment_method_id.label("key"),
                User.stripe_customer_id.label("object_id"),
                PaymentMethod.is_default,
                PaymentMethod.removed_at.is_not(None).label("removed"),
            ).join(User, User.id == PaymentMethod.user_id),
        },
        Kind.SUBSCRIPTION: {
            "subscription": select(
                Subscription.stripe_subscription_id.label("key"),
                Subscription.stripe_subscription_id.label("object_id"),
                Subscription.status,
                Subscription.tier,
                Subscription.billing_interval,
                Subscription.current_period_end,
                Subscription.cancel_at_period_end,
                Subscription.scheduled_tier,
                Subscription.stripe_default_method_id,
                User.tier.label("account_tier"),
            ).join(User, User.id == Subscription.user_id),
        },
        Kind.PAYMENT: {
            "payment": select(
                _OURS.label("key"),
                _OURS.label("object_id"),
                Payment.status,
                Payment.amount_cents,
                Payment.refunded_cents,
                Purchase.status.label("purchase"),
                Licence.status.label("licence"),
            )
            .outerjoin(Purchase, Purchase.id == Payment.purchase_id)
            .outerjoin(Licence, Licence.purchase_id == Purchase.id),
            "refund": select(
                Refund.stripe_refund_id.label("key"),
                _OURS.label("object_id"),
                Refund.status,
                Refund.amount_cents,
            ).join(Payment, Payment.id == Refund.payment_id),
            "dispute": select(
                Dispute.stripe_dispute_id.label("key"), _OURS.label("object_id"), Dispute.status
            ).join(Payment, Payment.id == Dispute.payment_id),
        },
        Kind.INVOICE: {
            "invoice": select(
                Invoice.stripe_invoice_id.label("key"),
                Invoice.stripe_invoice_id.label("object_id"),
                Invoice.status,
                Invoice.total_cents,
                Invoice.amount_paid_cents,
                Invoice.receipt_number.is_not(None).label("receipted"),
            ),
        },
        Kind.ACCOUNT: {
            "payee": select(
                Author.stripe_account_id.label("key"),
                Author.stripe_account_id.label("object_id"),
                Author.transfers_enabled,
            ),
        },
        Kind.TRANSFER: {
            "payout": select(
                Payout.stripe_transfer_id.label("key"),
                Payout.stripe_transfer_id.label("object_id"),
                Payout.status,
                Payout.amount_cents,
                Payout.returned_cents,
            ),
        },
    }
)
_ID = MappingProxyType(
    {
        Kind.CUSTOMER: User.stripe_customer_id,
        Kind.SUBSCRIPTION: Subscription.stripe_subscription_id,
        Kind.PAYMENT: _OURS,
        Kind.INVOICE: Invoice.stripe_invoice_id,
        Kind.ACCOUNT: Author.stripe_account_id,
        Kind.TRANSFER: Payout.stripe_transfer_id,
    }
)


async def unfinished(connection: AsyncConnection) -> set[Target]:
    """The objects behind our rows that something may still happen to, however old they are."""
    found = set()
    for kind, statements in _OPEN.items():
        for statement in statements:
            ids = (await connection.execute(statement)).scalars()
            found |= {Target(kind, object_id) for object_id in ids if object_id is not None}
    return found


async def standing(connection: AsyncConnection, target: Target) -> Mapping[str, Any]:
    """What our rows say of the object, by ``thing its-id.column``; nothing where we have no row."""
    said: dict[str, Any] = {}
    for thing, statement in _STANDING[target.kind].items():
        rows = await connection.execute(statement.where(_ID[target.kind] == target.object_id))
        for row in rows.all():
            said |= {f"{thing} {row.key}.{name}": value for name, value in _facts(row)}
    return said


def _facts(row: Row) -> Iterable[tuple[str, Any]]:
    return ((name, value) for name, value in row._mapping.items() if name not in ("key", "object_id"))


async def last_report(connection: AsyncConnection) -> tuple[datetime, Mapping[str, Any]] | None:
    """When the last reconciliation ended, and what it found; None where there was none."""
    statement = (
        select(AuditEntry.created_at, AuditEntry.details)
        .where(AuditEntry.subject_id == SUBJECT)
        .order_by(desc(AuditEntry.id))
        .limit(1)
    )
    row = (await connection.execute(statement)).one_or_none()
    return (row.created_at, row.details) if row else None
