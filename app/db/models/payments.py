"""payments, refunds, disputes, payment_methods, webhook_events: what moved, as the provider tells it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Currency, Id, at_least, currency_code, one_of
from app.domain.payments import DisputeStatus, PaymentStatus, RefundStatus, WebhookStatus

_DEFAULT = text("is_default AND removed_at IS NULL")
_UNPROCESSED = text("status IN ('received', 'failed')")
_TO_CHECK = text("check_at IS NOT NULL")


class Payment(Base):
    """Of a purchase or of an invoice, never of both.

    ``attempt`` counts from 1 and rises with each that failed; ``failed_charges`` came as far as a charge.
    ``check_at``: when the sweeper asks the provider what became of it; None: nothing is open.
    """

    __tablename__ = "payments"
    __table_args__ = (
        one_of("status", PaymentStatus),
        currency_code(),
        at_least("amount_cents"),
        at_least("refunded_cents"),
        at_least("attempt", 1),
        CheckConstraint("refunded_cents <= amount_cents", name="refund_within_amount"),
        CheckConstraint("(purchase_id IS NULL) <> (invoice_id IS NULL)", name="of_one_thing"),
        Index(None, "user_id", "id"),
        Index(None, "purchase_id"),
        Index(None, "invoice_id"),
        Index("ix_payments_check_at", "check_at", postgresql_where=_TO_CHECK, sqlite_where=_TO_CHECK),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    purchase_id: Mapped[UUID | None] = mapped_column(ForeignKey("purchases.id"))
    invoice_id: Mapped[UUID | None] = mapped_column(ForeignKey("invoices.id"))
    status: Mapped[str] = mapped_column(String(24))
    amount_cents: Mapped[int]
    refunded_cents: Mapped[int]
    currency: Mapped[Currency]
    attempt: Mapped[int]
    stripe_payment_intent_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    failure_code: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    client_secret: Mapped[str | None] = mapped_column(String(255))
    check_at: Mapped[datetime | None]
    failed_charges: Mapped[int] = mapped_column(server_default="0")


class Refund(Base):
    __tablename__ = "refunds"
    __table_args__ = (
        one_of("status", RefundStatus),
        currency_code(),
        at_least("amount_cents", 1),
        Index(None, "payment_id", "id"),
        Index("ix_refunds_check_at", "check_at", postgresql_where=_TO_CHECK, sqlite_where=_TO_CHECK),
    )

    id: Mapped[Id]
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id"))
    status: Mapped[str] = mapped_column(String(16))
    amount_cents: Mapped[int]
    currency: Mapped[Currency]
    reason: Mapped[str] = mapped_column(String(255))
    requested_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    stripe_refund_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    failure_code: Mapped[str | None] = mapped_column(String(64))
    check_at: Mapped[datetime | None]


class Dispute(Base):
    """A payer's bank that wants the money back; ``closed_at`` is when it was decided."""

    __tablename__ = "disputes"
    __table_args__ = (
        one_of("status", DisputeStatus),
        currency_code(),
        at_least("amount_cents"),
        Index(None, "payment_id", "id"),
    )

    id: Mapped[Id]
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id"))
    stripe_dispute_id: Mapped[str] = mapped_column(String(255), unique=True)
    status: Mapped[str] = mapped_column(String(32))
    amount_cents: Mapped[int]
    currency: Mapped[Currency]
    reason: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class PaymentMethod(Base):
    """What the provider lets us show of a card: never its number."""

    __tablename__ = "payment_methods"
    __table_args__ = (
        CheckConstraint("last4 IS NULL OR length(last4) = 4", name="last4_is_four"),
        CheckConstraint("exp_month IS NULL OR exp_month BETWEEN 1 AND 12", name="exp_month_in_range"),
        Index(
            "uq_payment_methods_default",
            "user_id",
            unique=True,
            postgresql_where=_DEFAULT,
            sqlite_where=_DEFAULT,
        ),
        Index(None, "user_id", "id"),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    stripe_payment_method_id: Mapped[str] = mapped_column(String(255), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    brand: Mapped[str | None] = mapped_column(String(32))
    last4: Mapped[str | None] = mapped_column(String(4))
    exp_month: Mapped[int | None]
    exp_year: Mapped[int | None]
    is_default: Mapped[bool]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class WebhookEvent(Base):
    """The provider's event as it came, once."""

    __tablename__ = "webhook_events"
    __table_args__ = (
        one_of("status", WebhookStatus),
        at_least("attempts"),
        Index(
            "ix_webhook_events_waiting",
            "available_at",
            postgresql_where=_UNPROCESSED,
            sqlite_where=_UNPROCESSED,
        ),
        Index(None, "object_id"),
        Index(None, "status", "id"),
    )

    id: Mapped[Id]
    stripe_event_id: Mapped[str] = mapped_column(String(255), unique=True)
    event_type: Mapped[str] = mapped_column(String(100))
    object_id: Mapped[str | None] = mapped_column(String(255))
    payload: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int]
    last_error: Mapped[str | None] = mapped_column(String(1000))
    received_at: Mapped[datetime]
    available_at: Mapped[datetime]
    processed_at: Mapped[datetime | None]
    object_type: Mapped[str | None] = mapped_column(String(64))
    livemode: Mapped[bool | None]
    api_version: Mapped[str | None] = mapped_column(String(64))
    happened_at: Mapped[datetime | None]


class ObjectLease(Base):
    """Who is bringing one of the provider's objects up to date: one at a time, until ``expires_at``."""

    __tablename__ = "object_leases"
    __table_args__ = (Index(None, "expires_at"),)

    object_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    token: Mapped[UUID]
    expires_at: Mapped[datetime]
