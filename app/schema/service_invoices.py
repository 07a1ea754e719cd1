"""Invoices for services, as an admin writes them."""

import strawberry

from app.schema.invoices import Invoice
from app.schema.payloads import Payload
from app.schema.scalars import BigInt


@strawberry.input(description="One position.")
class ServiceInvoiceLineInput:
    description: str = strawberry.field(description="What it is for, in at most 500 characters.")
    unit_amount_cents: BigInt = strawberry.field(
        description="What one of them costs, in minor units; negative for what is taken off."
    )
    quantity: int = strawberry.field(default=1, description="How many.")


@strawberry.input(description="An invoice for a service, such as support or training.")
class CreateServiceInvoiceInput:
    user_id: strawberry.ID = strawberry.field(description="Whom it is for.")
    lines: list[ServiceInvoiceLineInput] = strawberry.field(description="1 to 50 positions, in order.")
    currency: str = strawberry.field(description="ISO 4217 code, such as USD.")
    idempotency_key: str = strawberry.field(
        description="1 to 255 printable characters of your own, such as a UUID. Sent again with the same "
        "input, the first answer comes again and nothing is issued twice."
    )
    days_until_due: int = strawberry.field(default=14, description="Days to pay it, 1 to 365.")
    memo: str | None = strawberry.field(
        default=None, description="What is noted on it, in at most 500 characters."
    )


@strawberry.type(description="The invoice, issued and on its way by mail.")
class CreateServiceInvoicePayload(Payload):
    invoice: Invoice | None = strawberry.field(default=None, description="The invoice.")


@strawberry.input(description="Which invoice nobody has to pay any more.")
class VoidInvoiceInput:
    id: strawberry.ID = strawberry.field(description="The invoice.")


@strawberry.type(description="The invoice as it stands now.")
class VoidInvoicePayload(Payload):
    invoice: Invoice | None = strawberry.field(default=None, description="The invoice.")
