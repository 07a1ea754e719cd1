"""An account's books: what it bought, owes and paid."""

from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.domain.paging import Page, page
from app.schema.connections import Connection
from app.schema.invoices import Invoice
from app.schema.paging import After, Before, First, Last
from app.schema.payments import Payment, PaymentMethod
from app.schema.purchases import Purchase

Request = Info[Context, None]


@strawberry.type
class Books:
    """What a user has beside the profile; ``check`` refuses whoever must not read it."""

    user_id: strawberry.Private[UUID]

    def check(self, info: Request) -> None:
        raise NotImplementedError

    @strawberry.field(description="What was bought, the newest first.")
    async def purchases(
        self,
        info: Request,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Purchase]:
        self.check(info)
        loaders = info.context.loaders.purchases
        found = await loaders.pages.load((self.user_id, _page(first, after, last, before)))
        return Connection[Purchase].of(
            found, Purchase.from_row, count=lambda: loaders.counts.load(self.user_id)
        )

    @strawberry.field(description="The invoices, the newest first.")
    async def invoices(
        self,
        info: Request,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Invoice]:
        self.check(info)
        loaders = info.context.loaders.invoices
        found = await loaders.pages.load((self.user_id, _page(first, after, last, before)))
        return Connection[Invoice].of(
            found, Invoice.from_row, count=lambda: loaders.counts.load(self.user_id)
        )

    @strawberry.field(description="The payments, the newest first.")
    async def payments(
        self,
        info: Request,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Payment]:
        self.check(info)
        loaders = info.context.loaders.payments
        found = await loaders.pages.load((self.user_id, _page(first, after, last, before)))
        return Connection[Payment].of(
            found, Payment.from_row, count=lambda: loaders.counts.load(self.user_id)
        )

    @strawberry.field(description="The ways to pay, the newest first; removed ones are not shown.")
    async def payment_methods(
        self,
        info: Request,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[PaymentMethod]:
        self.check(info)
        loaders = info.context.loaders.payments
        found = await loaders.method_pages.load((self.user_id, _page(first, after, last, before)))
        return Connection[PaymentMethod].of(
            found, PaymentMethod.from_row, count=lambda: loaders.method_counts.load(self.user_id)
        )


def _page(first: int | None, after: str | None, last: int | None, before: str | None) -> Page:
    return page(order="id", first=first, after=after, last=last, before=before)
