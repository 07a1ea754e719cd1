"""What goes back of a payment: refunds and disputes."""

from datetime import datetime
from typing import Any

import strawberry

from app.schema.enums import DisputeStatus, RefundStatus
from app.schema.money import Money
from app.schema.node import Node
from app.schema.scalars import BigInt


@strawberry.type(description="A part of a payment, or all of it, that is given back.")
class Refund(Node):
    status: RefundStatus = strawberry.field(description="Where it stands, in the payment provider's terms.")
    amount: Money = strawberry.field(description="How much is given back.")
    reason: str = strawberry.field(description="Why, in the words of whoever gave it.")
    failure_code: str | None = strawberry.field(description="Why it failed, in the payment provider's words.")
    created_at: datetime = strawberry.field(description="When it was asked for.")

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "Refund":
        return super().from_row(row, status=RefundStatus(row.status), amount=_amount(row), **given)


@strawberry.type(description="A payment that the payer's bank wants back.")
class Dispute(Node):
    status: DisputeStatus = strawberry.field(description="Where it stands, in the payment provider's terms.")
    amount: Money = strawberry.field(description="What the bank wants back.")
    reason: str = strawberry.field(description="Why, in the payment provider's words, such as fraudulent.")
    opened_at: datetime = strawberry.field(description="When it began.")
    closed_at: datetime | None = strawberry.field(description="When it was decided.")

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "Dispute":
        return super().from_row(row, status=DisputeStatus(row.status), amount=_amount(row), **given)


def _amount(row: Any) -> Money:
    return Money(amount_cents=BigInt(row.amount_cents), currency=row.currency)
