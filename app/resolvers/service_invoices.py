"""Invoices for services: decode, call one use case, wrap."""

from uuid import UUID

from strawberry import Info

from app.context import Context
from app.domain.service_invoices import ServiceLine, checked
from app.schema.accounts import User
from app.schema.invoices import Invoice
from app.schema.node import read_id
from app.schema.service_invoices import (
    CreateServiceInvoiceInput,
    CreateServiceInvoicePayload,
    VoidInvoiceInput,
    VoidInvoicePayload,
)
from app.services import service_invoices

Request = Info[Context, None]


async def create_service_invoice(
    info: Request, input: CreateServiceInvoiceInput
) -> CreateServiceInvoicePayload | None:
    context = info.context
    lines = [ServiceLine(line.description, line.quantity, line.unit_amount_cents) for line in input.lines]
    invoice_id = await service_invoices.create(
        tools=context.deps.tools,
        viewer=context.me,
        user_id=read_id(input.user_id, of=User, field="userId"),
        invoice=checked(
            lines=lines, currency=input.currency, days_until_due=input.days_until_due, memo=input.memo
        ),
        idempotency_key=input.idempotency_key,
        now=context.now,
    )
    return CreateServiceInvoicePayload(invoice=await _invoice(context, invoice_id))


async def void_invoice(info: Request, input: VoidInvoiceInput) -> VoidInvoicePayload | None:
    context, invoice_id = info.context, read_id(input.id, of=Invoice, field="id")
    await service_invoices.void(
        tools=context.deps.tools, viewer=context.me, invoice_id=invoice_id, now=context.now
    )
    return VoidInvoicePayload(invoice=await _invoice(context, invoice_id))


async def _invoice(context: Context, invoice_id: UUID) -> Invoice:
    return Invoice.from_row(await context.loaders.invoices.invoices.load(invoice_id))
