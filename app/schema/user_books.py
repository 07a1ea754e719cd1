"""An account's books: what it bought, owes and paid."""

from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.dataloaders import projections
from app.engine.strawberry_schema import batched
from app.schema.access import checked
from app.schema.connections import Connection, paged
from app.schema.invoices import Invoice
from app.schema.payments import Payment, PaymentMethod
from app.schema.purchases import Purchase
from app.schema.ready import by_database, own_ids
from app.schema.refunds import Refund

Request = Info[Context, None]


@strawberry.type
class Books:
    """What a user has beside the profile; ``check`` refuses whoever must not read it."""

    user_id: strawberry.Private[UUID]

    def check(self, info: Request) -> None:
        raise NotImplementedError

    purchases: Connection[Purchase] = batched(
        checked(
            paged(
                Connection[Purchase],
                Purchase.from_row,
                of="user_id",
                pages=lambda loaders: loaders.purchases.pages,
                counts=lambda loaders: loaders.purchases.counts,
            )
        ),
        description="What was bought, the newest first.",
    )
    invoices: Connection[Invoice] = batched(
        checked(
            paged(
                Connection[Invoice],
                Invoice.from_row,
                of="user_id",
                pages=lambda loaders: loaders.invoices.pages,
                counts=lambda loaders: loaders.invoices.counts,
            )
        ),
        metadata=by_database(projections.INVOICES, own_ids),
        description="The invoices, the newest first.",
    )
    payments: Connection[Payment] = batched(
        checked(
            paged(
                Connection[Payment],
                Payment.from_row,
                of="user_id",
                pages=lambda loaders: loaders.payments.pages,
                counts=lambda loaders: loaders.payments.counts,
            )
        ),
        description="The payments, the newest first.",
    )
    refunds: Connection[Refund] = batched(
        checked(
            paged(
                Connection[Refund],
                Refund.from_row,
                of="user_id",
                pages=lambda loaders: loaders.payments.refund_pages,
                counts=lambda loaders: loaders.payments.refund_counts,
            )
        ),
        description="What was given back of the payments, the newest first.",
    )
    payment_methods: Connection[PaymentMethod] = batched(
        checked(
            paged(
                Connection[PaymentMethod],
                PaymentMethod.from_row,
                of="user_id",
                pages=lambda loaders: loaders.payments.method_pages,
                counts=lambda loaders: loaders.payments.method_counts,
            )
        ),
        description="The ways to pay, the newest first; removed ones are not shown.",
    )
