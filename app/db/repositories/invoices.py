"""Invoices and their lines, as they are shown."""

from typing import Any

from app.db.models import Invoice, InvoiceLine

INVOICE: tuple[Any, ...] = (
    Invoice.id,
    Invoice.user_id,
    Invoice.number,
    Invoice.status,
    Invoice.currency,
    Invoice.subtotal_cents,
    Invoice.discount_cents,
    Invoice.tax_cents,
    Invoice.total_cents,
    Invoice.amount_paid_cents,
    Invoice.period_start,
    Invoice.period_end,
    Invoice.issued_at,
    Invoice.due_at,
    Invoice.paid_at,
)
LINE: tuple[Any, ...] = (
    InvoiceLine.invoice_id,
    InvoiceLine.description,
    InvoiceLine.quantity,
    InvoiceLine.amount_cents,
    InvoiceLine.period_start,
    InvoiceLine.period_end,
)
