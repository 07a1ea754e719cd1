"""An account's books by id: their owner's and staff's to see."""

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.schema.access import readable
from app.schema.invoices import Invoice
from app.schema.node import read_id
from app.schema.payments import Payment, PaymentMethod
from app.schema.refunds import Dispute, Refund


async def invoice(
    info: Info[Context, None],
    id: Annotated[strawberry.ID, strawberry.argument(description="The invoice's id.")],
) -> Invoice | None:
    return (await load_invoices(info.context, [read_id(id, of=Invoice, field="id")]))[0]


async def load_invoices(context: Context, ids: list[UUID]) -> list[Invoice | None]:
    return readable(context.viewer, await context.loaders.invoices.invoices(ids), Invoice.from_row)


async def load_payments(context: Context, ids: list[UUID]) -> list[Payment | None]:
    return readable(context.viewer, await context.loaders.payments.payments(ids), Payment.from_row)


async def load_refunds(context: Context, ids: list[UUID]) -> list[Refund | None]:
    return readable(context.viewer, await context.loaders.payments.refunds(ids), Refund.from_row)


async def load_disputes(context: Context, ids: list[UUID]) -> list[Dispute | None]:
    return readable(context.viewer, await context.loaders.payments.disputes(ids), Dispute.from_row)


async def load_payment_methods(context: Context, ids: list[UUID]) -> list[PaymentMethod | None]:
    return readable(context.viewer, await context.loaders.payments.methods(ids), PaymentMethod.from_row)
