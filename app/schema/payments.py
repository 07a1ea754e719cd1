"""Payments, with what they pay and what went back of them, and payment methods."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.domain.api_keys import Scope
from app.engine.strawberry_schema import batched
from app.schema.enums import PaymentStatus
from app.schema.money import Money
from app.schema.node import Node, global_id
from app.schema.purchases import Purchase
from app.schema.refunds import Dispute, Refund
from app.schema.scalars import BigInt

Request = Info[Context, None]


async def load_refunds(payments: Sequence["Payment"], info: Request) -> list[list[Refund]]:
    found = await info.context.loaders.payments.refunds_of([each.payment_id for each in payments])
    return [list(map(Refund.from_row, rows)) for rows in found]


async def load_disputes(payments: Sequence["Payment"], info: Request) -> list[list[Dispute]]:
    found = await info.context.loaders.payments.disputes_of([each.payment_id for each in payments])
    return [list(map(Dispute.from_row, rows)) for rows in found]


async def load_purchases(payments: Sequence["Payment"], info: Request) -> list[Purchase | None]:
    ids = [each.purchase_id for each in payments if each.purchase_id]
    rows = await info.context.loaders.purchases.purchases(ids) if ids else []
    found = dict(zip(ids, map(Purchase.from_row, rows), strict=True))
    return [found[each.purchase_id] if each.purchase_id else None for each in payments]


@strawberry.type(description="A payment of a purchase or of an invoice.")
class Payment(Node):
    status: PaymentStatus = strawberry.field(description="Where it stands, in the payment provider's terms.")
    amount: Money = strawberry.field(description="What is or was to be paid.")
    refunded: Money = strawberry.field(description="How much of it was given back, or is about to be.")
    attempt: int = strawberry.field(description="Counts from 1, and one more with each attempt that failed.")
    failure_code: str | None = strawberry.field(
        description="Why the last attempt failed, in the payment provider's words."
    )
    created_at: datetime = strawberry.field(description="When it began.")
    invoice_id: strawberry.ID | None = strawberry.field(
        description="The invoice that it pays, for `node`; null for a purchase."
    )
    payment_id: strawberry.Private[UUID]
    user_id: strawberry.Private[UUID]
    purchase_id: strawberry.Private[UUID | None]
    secret: strawberry.Private[str | None]

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "Payment":
        return super().from_row(
            row,
            payment_id=row.id,
            secret=row.client_secret,
            invoice_id=global_id("Invoice", row.invoice_id) if row.invoice_id else None,
            status=PaymentStatus(row.status),
            amount=Money(amount_cents=BigInt(row.amount_cents), currency=row.currency),
            refunded=Money(amount_cents=BigInt(row.refunded_cents), currency=row.currency),
            **given,
        )

    @strawberry.field(
        description="For the payment provider's form, while the payer has something to do; for nobody else."
    )
    def client_secret(self, info: Request) -> str | None:
        viewer = info.context.viewer
        own = viewer is not None and viewer.user_id == self.user_id and viewer.may(Scope.PURCHASE)
        return self.secret if own else None

    refunds: list[Refund] = batched(load_refunds, description="What was given back of it, in order.")
    disputes: list[Dispute] = batched(
        load_disputes, description="When the payer's bank wanted it back, in order."
    )
    purchase: Purchase | None = batched(load_purchases, description="What it pays; null for an invoice.")


@strawberry.type(description="A way to pay that the account keeps with the payment provider.")
class PaymentMethod(Node):
    kind: str = strawberry.field(description="Such as card.")
    brand: str | None = strawberry.field(description="A card's brand, such as visa.")
    last4: str | None = strawberry.field(description="The last four digits.")
    exp_month: int | None = strawberry.field(description="The month in which a card ends, 1 to 12.")
    exp_year: int | None = strawberry.field(description="The year in which a card ends.")
    is_default: bool = strawberry.field(
        description="Whether it is what is charged next, unless another is chosen."
    )
