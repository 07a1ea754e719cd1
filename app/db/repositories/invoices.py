"""Invoices and their lines, as they are shown."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import Invoice, InvoiceLine, User

INVOICE: tuple[Any, ...] = (
    Invoice.id,
    Invoice.user_id,
    Invoice.number,
    Invoice.status,
    Invoice.currency,
    Invoice.subtotal_cents,
    Invoice.discount_cents,
    Invoice.tax_cents,
    Invoice.tax_included_cents,
    Invoice.adjustment_cents,
    Invoice.total_cents,
    Invoice.amount_due_cents,
    Invoice.amount_paid_cents,
    Invoice.period_start,
    Invoice.period_end,
    Invoice.issued_at,
    Invoice.due_at,
    Invoice.paid_at,
    Invoice.created_at,
    Invoice.receipt_number,
    Invoice.description,
    Invoice.subscription_id,
    Invoice.attempt_count,
    Invoice.next_attempt_at,
    Invoice.hosted_url,
)
LINE: tuple[Any, ...] = (
    InvoiceLine.invoice_id,
    InvoiceLine.description,
    InvoiceLine.quantity,
    InvoiceLine.unit_amount_cents,
    InvoiceLine.amount_cents,
    InvoiceLine.discount_cents,
    InvoiceLine.tax_cents,
    InvoiceLine.is_proration,
    InvoiceLine.period_start,
    InvoiceLine.period_end,
)


async def as_told(connection: AsyncConnection, invoice_id: UUID) -> Row[Any] | None:
    """With whom it is told to; None for an unknown invoice and for a deleted account."""
    told: tuple[Any, ...] = (*INVOICE, User.email, User.username)
    statement = (
        select(*told)
        .join(User, User.id == Invoice.user_id)
        .where(Invoice.id == invoice_id, User.deleted_at.is_(None))
    )
    return (await connection.execute(statement)).one_or_none()


async def lines_of(connection: AsyncConnection, invoice_id: UUID) -> list[Row[Any]]:
    statement = select(*LINE).where(InvoiceLine.invoice_id == invoice_id).order_by(InvoiceLine.position)
    return list((await connection.execute(statement)).all())
