"""Payments and payment methods."""

from datetime import datetime
from typing import Any

import strawberry

from app.schema.enums import PaymentStatus
from app.schema.money import Money
from app.schema.node import Node
from app.schema.scalars import BigInt


@strawberry.type(description="A payment of a purchase or of an invoice.")
class Payment(Node):
    status: PaymentStatus = strawberry.field(description="Where it stands, in the payment provider's terms.")
    amount: Money = strawberry.field(description="What is or was to be paid.")
    refunded: Money = strawberry.field(description="How much of it was paid back.")
    created_at: datetime = strawberry.field(description="When it began.")
    client_secret: str | None = strawberry.field(
        default=None, description="For the payment provider's form, while the payer has something to do."
    )

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "Payment":
        return super().from_row(
            row,
            status=PaymentStatus(row.status),
            amount=Money(amount_cents=BigInt(row.amount_cents), currency=row.currency),
            refunded=Money(amount_cents=BigInt(row.refunded_cents), currency=row.currency),
            **given,
        )


@strawberry.type(description="A way to pay that the account keeps with the payment provider.")
class PaymentMethod(Node):
    kind: str = strawberry.field(description="Such as card.")
    brand: str | None = strawberry.field(description="A card's brand, such as visa.")
    last4: str | None = strawberry.field(description="The last four digits.")
    exp_month: int | None = strawberry.field(description="The month in which a card ends, 1 to 12.")
    exp_year: int | None = strawberry.field(description="The year in which a card ends.")
    is_default: bool = strawberry.field(description="Whether it pays unless another is chosen.")
