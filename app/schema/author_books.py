"""An author's books: what is owed, month by month, and what was paid out. The author's and staff's to see."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.dataloaders.author_books import STATEMENT_ORDER
from app.domain import commission
from app.domain.periods import monthly_period
from app.engine.strawberry_schema import batched
from app.schema.access import check_owner, checked
from app.schema.connections import Connection, paged
from app.schema.money import Money
from app.schema.payouts import Payout, PayoutConnection
from app.schema.scalars import BigInt

Request = Info[Context, None]
MOVED = ("sales", "commission", "refunds", "disputes", "payouts")


def money(amount_cents: int, currency: str) -> Money:
    return Money(amount_cents=BigInt(amount_cents), currency=currency)


@strawberry.type(description="What an author is owed in one currency: available + pending + withheld.")
class AuthorBalance:
    currency: str = strawberry.field(description="ISO 4217 code.")
    available: Money = strawberry.field(
        description="What may be paid out. Less than zero where more was refunded after a payout than "
        "came in since: coming sales make up for it."
    )
    pending: Money = strawberry.field(
        description="Shares of sales that are held for a while, because they may be refunded."
    )
    withheld: Money = strawberry.field(description="Shares of sales that a payer's bank disputes.")
    paid_out: Money = strawberry.field(description="What was paid out, or is on its way.")
    lifetime: Money = strawberry.field(
        description="Everything earned: what is owed and what was paid out together."
    )
    minimum_payout: Money = strawberry.field(description="The least that a payout moves.")


async def load_balances(authors: Sequence["AuthorBooks"], info: Request) -> list[list[AuthorBalance]]:
    context = info.context
    found = await context.loaders.author_books.balances([(each.author_id, context.now) for each in authors])
    terms = context.deps.commission
    return [[_balance(row, paid_out, terms) for row, paid_out in rows] for rows in found]


def _balance(row: Any, paid_out: int, terms: commission.Terms) -> AuthorBalance:
    currency: str = row.currency
    return AuthorBalance(
        currency=currency,
        available=money(row.available, currency),
        pending=money(row.pending, currency),
        withheld=money(row.withheld, currency),
        paid_out=money(paid_out, currency),
        lifetime=money(row.available + row.pending + row.withheld + paid_out, currency),
        minimum_payout=money(commission.minimum_payout(terms, currency), currency),
    )


@strawberry.type(
    description="One month of an author's books in one currency: closing = opening + sales - commission - "
    "refunds - disputes - payouts. Months in which nothing moved have none."
)
class AuthorStatement:
    currency: str = strawberry.field(description="ISO 4217 code.")
    period_start: datetime = strawberry.field(description="The month's first instant, in UTC.")
    period_end: datetime = strawberry.field(description="The next month's first instant.")
    opening: Money = strawberry.field(description="What was owed before.")
    sales: Money = strawberry.field(description="What buyers paid.")
    commission: Money = strawberry.field(description="What was kept of it.")
    refunds: Money = strawberry.field(
        description="What refunds took back of the author's shares, less what failed ones gave back."
    )
    disputes: Money = strawberry.field(description="What lost disputes took of the author's shares.")
    payouts: Money = strawberry.field(description="What was paid out, less what came back.")
    closing: Money = strawberry.field(description="What is owed after, available or not.")

    @classmethod
    def from_row(cls, row: Any) -> "AuthorStatement":
        first = datetime.strptime(row.month, "%Y-%m").replace(tzinfo=UTC)
        month = monthly_period(anchor=first, now=first)
        amounts = {name: money(getattr(row, name), row.currency) for name in (*MOVED, "closing")}
        return cls(
            currency=row.currency,
            period_start=month.start,
            period_end=month.end,
            opening=money(row.closing - row.change, row.currency),
            **amounts,
        )


async def load_enabled(authors: Sequence["AuthorBooks"], info: Request) -> list[bool]:
    rows = await info.context.loaders.author_books.payees([each.author_id for each in authors])
    return [bool(row and row.transfers_enabled) for row in rows]


@strawberry.type
class AuthorBooks:
    author_id: strawberry.Private[UUID]
    user_id: strawberry.Private[UUID | None]

    def check(self, info: Request) -> None:
        check_owner(info, self.user_id)

    balance: list[AuthorBalance] | None = batched(
        checked(load_balances),
        description="What the author is owed, by currency in the order of the alphabet; empty before the "
        "first sale. The author's and staff's to see.",
    )
    statements: Connection[AuthorStatement] | None = batched(
        checked(
            paged(
                Connection[AuthorStatement],
                AuthorStatement.from_row,
                of="author_id",
                pages=lambda loaders: loaders.author_books.statement_pages,
                counts=lambda loaders: loaders.author_books.statement_counts,
                order=STATEMENT_ORDER,
            )
        ),
        description="The books month by month, the newest first, each currency for itself. The author's and "
        "staff's to see.",
    )
    payouts: PayoutConnection | None = batched(
        checked(
            paged(
                PayoutConnection,
                Payout.from_row,
                of="author_id",
                pages=lambda loaders: loaders.author_books.payout_pages,
                counts=lambda loaders: loaders.author_books.payout_counts,
            )
        ),
        description="What was paid out, the newest first. The author's and staff's to see.",
    )
    payouts_enabled: bool | None = batched(
        checked(load_enabled),
        description="Whether the author has an account with the payment provider that takes money: see "
        "`connectPayouts`. The author's and staff's to see.",
    )
