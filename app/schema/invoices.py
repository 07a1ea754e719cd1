"""Invoices and their lines."""

from collections.abc import Callable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.domain.documents import Document
from app.engine.strawberry_schema import batched
from app.schema.documents import document_url
from app.schema.enums import InvoiceStatus
from app.schema.money import Money
from app.schema.node import Node
from app.schema.payments import Payment
from app.schema.scalars import BigInt
from app.schema.subscriptions import Subscription
from app.schema.views import View, view

Request = Info[Context, None]


def amount(name: str) -> Callable[[Any], Money]:
    """Of a row with a currency."""
    cents = attrgetter(f"{name}_cents")
    return lambda row: Money(amount_cents=BigInt(cents(row)), currency=row.currency)


@strawberry.type(description="One position of an invoice.")
class InvoiceLine:
    description: str = strawberry.field(description="What it is for.")
    quantity: BigInt = strawberry.field(description="How many.")
    amount: Money = strawberry.field(
        description="All of them together, before discount and tax; what is credited is negative."
    )
    unit_amount: Money | None = strawberry.field(
        description="One of them; null where it has fractions of a minor unit."
    )
    discount: Money = strawberry.field(description="What is taken off this line.")
    tax: Money = strawberry.field(description="Its part of the tax.")
    is_proration: bool = strawberry.field(description="Whether it settles a change within a period.")
    period_start: datetime | None = strawberry.field(description="From when it is for.")
    period_end: datetime | None = strawberry.field(description="The first instant that it is not for.")

    @classmethod
    def from_row(cls, row: Any, *, currency: str) -> "InvoiceLine":
        unit = row.unit_amount_cents
        return cls(
            unit_amount=None if unit is None else Money(amount_cents=BigInt(unit), currency=currency),
            discount=Money(amount_cents=BigInt(row.discount_cents), currency=currency),
            tax=Money(amount_cents=BigInt(row.tax_cents), currency=currency),
            is_proration=row.is_proration,
            description=row.description,
            quantity=BigInt(row.quantity),
            amount=Money(amount_cents=BigInt(row.amount_cents), currency=currency),
            period_start=row.period_start,
            period_end=row.period_end,
        )


async def load_lines(invoices: Sequence["Invoice"], info: Request) -> list[list[InvoiceLine]]:
    found = await info.context.loaders.invoices.lines([invoice.invoice_id for invoice in invoices])
    return [
        [InvoiceLine.from_row(row, currency=invoice.row.currency) for row in rows]
        for invoice, rows in zip(invoices, found, strict=True)
    ]


async def load_subscriptions(invoices: Sequence["Invoice"], info: Request) -> list[Subscription | None]:
    named = [invoice.subscription_id for invoice in invoices]
    rows = await info.context.loaders.accounts.subscriptions([each for each in named if each])
    found = {row.id: row for row in rows if row}
    return [Subscription.from_row(found[each]) if each in found else None for each in named]


async def load_payments(invoices: Sequence["Invoice"], info: Request) -> list[list[Payment]]:
    found = await info.context.loaders.payments.of_invoices([invoice.invoice_id for invoice in invoices])
    return [list(map(Payment.from_row, rows)) for rows in found]


@view(
    invoice_id=attrgetter("id"),
    status=lambda row: InvoiceStatus(row.status),
    subtotal=amount("subtotal"),
    discount=amount("discount"),
    tax=amount("tax"),
    tax_included=amount("tax_included"),
    other=amount("adjustment"),
    total=amount("total"),
    amount_due=amount("amount_due"),
    amount_paid=amount("amount_paid"),
)
@strawberry.type(
    description="What an account owes or paid, as the payment provider computed it: total = subtotal - "
    "discount + tax - taxIncluded + other. Credits are negative."
)
class Invoice(View, Node):
    number: str | None = strawberry.field(description="For people; null for a draft.")
    receipt_number: str | None = strawberry.field(
        description="Of our receipt, once it is paid; numbers have no gaps."
    )
    description: str | None = strawberry.field(description="What was noted on it.")
    status: InvoiceStatus = strawberry.field(description="Where it stands.")
    subtotal: Money = strawberry.field(description="The sum of the lines.")
    discount: Money = strawberry.field(description="What is taken off.")
    tax: Money = strawberry.field(description="What is put on.")
    tax_included: Money = strawberry.field(description="The part of the tax that the lines hold already.")
    other: Money = strawberry.field(description="What else the total holds, such as shipping.")
    total: Money = strawberry.field(description="What it comes to.")
    amount_due: Money = strawberry.field(
        description="What is to be paid: the total with what the account was owed, or owed, before."
    )
    amount_paid: Money = strawberry.field(description="What was paid.")
    period_start: datetime | None = strawberry.field(description="From when it is for.")
    period_end: datetime | None = strawberry.field(description="The first instant that it is not for.")
    issued_at: datetime | None = strawberry.field(description="When it was sent out.")
    due_at: datetime | None = strawberry.field(description="When it is to be paid.")
    paid_at: datetime | None = strawberry.field(description="When it was paid.")
    attempt_count: int = strawberry.field(description="How often it was tried to collect it.")
    next_attempt_at: datetime | None = strawberry.field(description="When it is tried again by itself.")
    hosted_url: str | None = strawberry.field(description="The payment provider's page of it, to pay there.")
    invoice_id: strawberry.Private[UUID]
    subscription_id: strawberry.Private[UUID | None]

    lines: list[InvoiceLine] = batched(load_lines, description="What it is made up of, in order.")

    subscription: Subscription | None = batched(
        load_subscriptions, description="What it is for; null for a service, and while that is not known yet."
    )
    payments: list[Payment] = batched(load_payments, description="What was paid of it, or tried, in order.")

    @strawberry.field(description="A link to it as PDF, good for an hour, for you alone. Null for a draft.")
    def pdf_url(self, info: Request) -> str | None:
        if self.status is InvoiceStatus.DRAFT:
            return None
        return document_url(info.context, Document.INVOICE, self.invoice_id)

    @strawberry.field(
        description="A link to our receipt as PDF, good for an hour, for you alone. Null before it is paid."
    )
    def receipt_url(self, info: Request) -> str | None:
        if self.receipt_number is None:
            return None
        return document_url(info.context, Document.INVOICE_RECEIPT, self.invoice_id)
