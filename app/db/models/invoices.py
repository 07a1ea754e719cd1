"""invoices and their lines."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Currency, Id, at_least, currency_code, one_of
from app.domain.payments import InvoiceStatus


class Invoice(Base):
    """Amounts in minor units; ``total = subtotal - discount + tax``. Without a subscription: for a service.

    ``number`` is the provider's, ``receipt_number`` our own gapless one, given when it is paid.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        one_of("status", InvoiceStatus),
        currency_code(),
        CheckConstraint("total_cents = subtotal_cents - discount_cents + tax_cents", name="total_adds_up"),
        at_least("discount_cents"),
        at_least("tax_cents"),
        at_least("amount_paid_cents"),
        Index(None, "user_id", "id"),
        Index(None, "subscription_id"),
        Index("uq_invoices_receipt_number", "receipt_number", unique=True),
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
    description: Mapped[str | None] = mapped_column(String(500))
    attempt_count: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[datetime | None]
    hosted_url: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[UUID | None]


class InvoiceLine(Base):
    __tablename__ = "invoice_lines"
    __table_args__ = (UniqueConstraint("invoice_id", "position"), at_least("quantity", 1))

    id: Mapped[Id]
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoices.id"))
    position: Mapped[int]
    description: Mapped[str] = mapped_column(String(500))
    quantity: Mapped[int]
    amount_cents: Mapped[int]
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
    discount_cents: Mapped[int] = mapped_column(server_default="0")
    tax_cents: Mapped[int] = mapped_column(server_default="0")
    is_proration: Mapped[bool] = mapped_column(server_default=false())
