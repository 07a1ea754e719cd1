"""Invoices and their lines."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.engine.strawberry_schema import batched
from app.schema.enums import InvoiceStatus
from app.schema.money import Money
from app.schema.node import Node
from app.schema.scalars import BigInt

AMOUNTS = ("subtotal", "discount", "tax", "total", "amount_paid")


@strawberry.type(description="One position of an invoice.")
class InvoiceLine:
    description: str = strawberry.field(description="What it is for.")
    quantity: BigInt = strawberry.field(description="How many.")
    amount: Money = strawberry.field(description="All of them together, before discount and tax.")
    period_start: datetime | None = strawberry.field(description="From when it is for.")
    period_end: datetime | None = strawberry.field(description="The first instant that it is not for.")

    @classmethod
    def from_row(cls, row: Any, *, currency: str) -> "InvoiceLine":
        return cls(
            description=row.description,
            quantity=BigInt(row.quantity),
            amount=Money(amount_cents=BigInt(row.amount_cents), currency=currency),
            period_start=row.period_start,
            period_end=row.period_end,
        )


async def load_lines(invoices: Sequence["Invoice"], info: Info[Context, None]) -> list[list[InvoiceLine]]:
    found = await info.context.loaders.invoices.lines([invoice.invoice_id for invoice in invoices])
    return [
        [InvoiceLine.from_row(row, currency=invoice.total.currency) for row in rows]
        for invoice, rows in zip(invoices, found, strict=True)
    ]


@strawberry.type(description="What an account owes or paid: total = subtotal - discount + tax.")
class Invoice(Node):
    number: str | None = strawberry.field(description="For people; null for a draft.")
    status: InvoiceStatus = strawberry.field(description="Where it stands.")
    subtotal: Money = strawberry.field(description="The sum of the lines.")
    discount: Money = strawberry.field(description="What is taken off.")
    tax: Money = strawberry.field(description="What is put on.")
    total: Money = strawberry.field(description="What is to be paid.")
    amount_paid: Money = strawberry.field(description="What was paid.")
    period_start: datetime | None = strawberry.field(description="From when it is for.")
    period_end: datetime | None = strawberry.field(description="The first instant that it is not for.")
    issued_at: datetime | None = strawberry.field(description="When it was sent out.")
    due_at: datetime | None = strawberry.field(description="When it is to be paid.")
    paid_at: datetime | None = strawberry.field(description="When it was paid.")
    invoice_id: strawberry.Private[UUID]

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "Invoice":
        amounts = {
            name: Money(amount_cents=BigInt(getattr(row, f"{name}_cents")), currency=row.currency)
            for name in AMOUNTS
        }
        return super().from_row(row, invoice_id=row.id, status=InvoiceStatus(row.status), **amounts, **given)

    lines: list[InvoiceLine] = batched(load_lines, description="What it is made up of, in order.")
