"""Invoices, payments and payment methods by id: their owner's and staff's to see."""

from uuid import UUID

from app.context import Context
from app.schema.access import may_read
from app.schema.invoices import Invoice
from app.schema.payments import Payment, PaymentMethod


async def load_invoice(context: Context, invoice_id: UUID) -> Invoice | None:
    row = await context.loaders.invoices.invoices.load(invoice_id)
    return Invoice.from_row(row) if row and may_read(context.viewer, row.user_id) else None


async def load_payment(context: Context, payment_id: UUID) -> Payment | None:
    row = await context.loaders.payments.payments.load(payment_id)
    return Payment.from_row(row) if row and may_read(context.viewer, row.user_id) else None


async def load_payment_method(context: Context, method_id: UUID) -> PaymentMethod | None:
    row = await context.loaders.payments.methods.load(method_id)
    return PaymentMethod.from_row(row) if row and may_read(context.viewer, row.user_id) else None
