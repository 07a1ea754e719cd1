"""invoices and their lines."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Currency, Id, at_least, currency_code, one_of
from app.domain.payments import InvoiceStatus

WANTED = (InvoiceStatus.OPEN, InvoiceStatus.VOID)

_TO_CHECK = text("check_at IS NOT NULL")


class Invoice(Base):
    """Amounts in minor units, as the provider computed them; those of credits are negative.

    ``tax_included_cents`` is the part of ``tax_cents`` that stands in the lines already; ``adjustment_cents``
    what else the total holds, such as shipping; ``amount_due_cents`` the total after the customer's balance.
    ``number`` is the provider's, ``receipt_number`` our own gapless one, given when it is paid.
    ``stripe_subscription_id`` may be known before ``subscription_id`` is. ``told_attempts``: up to which
    failed one the account was told. Of an invoice for a service: ``created_by`` wrote it here;
    ``wanted_status`` was asked for and is open still; ``failure``: why the provider would not have it.
    ``check_at``: when the sweeper finishes what is open, None: nothing is.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        one_of("status", InvoiceStatus),
        one_of("wanted_status", WANTED, nullable=True),
        currency_code(),
        CheckConstraint(
            "total_cents = subtotal_cents - discount_cents + tax_cents"
            " - tax_included_cents + adjustment_cents",
            name="total_adds_up",
        ),
        at_least("discount_cents"),
        at_least("amount_paid_cents"),
        Index(None, "user_id", "id"),
        Index(None, "subscription_id"),
        Index("uq_invoices_receipt_number", "receipt_number", unique=True),
        Index(None, "stripe_subscription_id"),
        Index("ix_invoices_check_at", "check_at", postgresql_where=_TO_CHECK, sqlite_where=_TO_CHECK),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    subscription_id: Mapped[UUID | None] = mapped_column(ForeignKey("subscriptions.id"))
    number: Mapped[str | None] = mapped_column(String(64), unique=True)
    status: Mapped[str] = mapped_column(String(16))
    currency: Mapped[Currency]
    subtotal_cents: Mapped[int]
    discount_cents: Mapped[int]
    tax_cents: Mapped[int]
    total_cents: Mapped[int]
    amount_paid_cents: Mapped[int]
    stripe_invoice_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
    issued_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    receipt_number: Mapped[str | None] = mapped_column(String(32))
    description: Mapped[str | None] = mapped_column(Text)
    attempt_count: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[datetime | None]
    hosted_url: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[UUID | None]
    tax_included_cents: Mapped[int] = mapped_column(server_default="0")
    adjustment_cents: Mapped[int] = mapped_column(server_default="0")
    amount_due_cents: Mapped[int] = mapped_column(server_default="0")
    stripe_subscription_id: Mapped[str | None] = mapped_column(String(255))
    days_until_due: Mapped[int | None]
    check_at: Mapped[datetime | None]
    wanted_status: Mapped[str | None] = mapped_column(String(16))
    failure: Mapped[str | None] = mapped_column(Text)
    told_attempts: Mapped[int] = mapped_column(server_default="0")


class InvoiceLine(Base):
    """``amount_cents`` is of all of them, before discount; what is credited is negative."""

    __tablename__ = "invoice_lines"
    __table_args__ = (UniqueConstraint("invoice_id", "position"), at_least("quantity"))

    id: Mapped[Id]
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoices.id"))
    position: Mapped[int]
    description: Mapped[str] = mapped_column(Text)
    quantity: Mapped[int]
    amount_cents: Mapped[int]
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
    discount_cents: Mapped[int] = mapped_column(server_default="0")
    tax_cents: Mapped[int] = mapped_column(server_default="0")
    is_proration: Mapped[bool] = mapped_column(server_default=false())
    unit_amount_cents: Mapped[int | None]
    stripe_price_id: Mapped[str | None] = mapped_column(String(255))
