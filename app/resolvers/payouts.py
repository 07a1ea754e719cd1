"""Payouts: decode, call one use case, wrap."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.db.repositories import balances
from app.db.repositories import payouts as rows
from app.domain.commission import minimum_payout
from app.domain.money import currency_code
from app.domain.paging import page
from app.schema.access import readable
from app.schema.catalog import Author
from app.schema.connections import Connection
from app.schema.enums import PayoutMethod, PayoutStatus
from app.schema.node import read_id
from app.schema.paging import After, Before, First, Last
from app.schema.payouts import (
    CancelPayoutInput,
    CancelPayoutPayload,
    ConnectPayoutsInput,
    ConnectPayoutsPayload,
    CreatePayoutInput,
    CreatePayoutPayload,
    MarkPayoutPaidInput,
    MarkPayoutPaidPayload,
    Payout,
    PayoutConnection,
    RequestPayoutInput,
    RequestPayoutPayload,
)
from app.services import payouts as use_cases

Request = Info[Context, None]
Status = Annotated[
    PayoutStatus | None, strawberry.argument(description="Only those that stand so; all unless given.")
]

Currency = Annotated[str, strawberry.argument(description="ISO 4217 code.")]


async def payouts(
    info: Request,
    status: Status = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> PayoutConnection:
    database = info.context.deps.database
    wanted = page(order="id", first=first, after=after, last=last, before=before)
    async with database.read() as connection:
        found = await rows.page_of(connection, status=status, page=wanted)

    async def count(lists: list[Any]) -> list[int]:
        async with database.read() as connection:
            return [await rows.count(connection, status=status)] * len(lists)

    return PayoutConnection.of(found, Payout.from_row, count=count)


async def payable_authors(
    info: Request,
    currency: Currency,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Author]:
    context, code = info.context, currency_code(currency)
    wanted = page(order="payable", first=first, after=after, last=last, before=before)
    asked: dict[str, Any] = {
        "currency": code,
        "minimum_cents": minimum_payout(context.deps.commission, code),
        "now": context.now,
    }
    async with context.deps.database.read() as connection:
        found = await balances.payable(connection, page=wanted, **asked)

    async def count(lists: list[Any]) -> list[int]:
        async with context.deps.database.read() as connection:
            return [await balances.count_payable(connection, **asked)] * len(lists)

    return Connection[Author].of(found, Author.from_row, count=count)


async def connect_payouts(info: Request, input: ConnectPayoutsInput) -> ConnectPayoutsPayload | None:
    context = info.context
    link = await use_cases.connect(
        context.deps.tools, viewer=context.me, return_url=input.return_url, refresh_url=input.refresh_url
    )
    return ConnectPayoutsPayload(url=link["url"], expires_at=datetime.fromtimestamp(link["expires_at"], UTC))


async def request_payout(info: Request, input: RequestPayoutInput) -> RequestPayoutPayload | None:
    context = info.context
    payout_id = await use_cases.request(
        context.deps.tools,
        viewer=context.me,
        currency=input.currency,
        amount_cents=input.amount_cents,
        idempotency_key=input.idempotency_key,
        now=context.now,
    )
    return RequestPayoutPayload(payout=await _payout(context, payout_id))


async def create_payout(info: Request, input: CreatePayoutInput) -> CreatePayoutPayload | None:
    context = info.context
    payout_id = await use_cases.create(
        context.deps.database,
        context.deps.tools if input.method is PayoutMethod.TRANSFER else None,
        terms=context.deps.commission,
        viewer=context.me,
        author_id=read_id(input.author_id, of=Author, field="authorId"),
        method=input.method,
        currency=input.currency,
        amount_cents=input.amount_cents,
        idempotency_key=input.idempotency_key,
        now=context.now,
    )
    return CreatePayoutPayload(payout=await _payout(context, payout_id))


async def mark_payout_paid(info: Request, input: MarkPayoutPaidInput) -> MarkPayoutPaidPayload | None:
    context, payout_id = info.context, read_id(input.payout_id, of=Payout, field="payoutId")
    await use_cases.mark_paid(
        context.deps.database,
        viewer=context.me,
        payout_id=payout_id,
        reference=input.reference,
        idempotency_key=input.idempotency_key,
        now=context.now,
    )
    return MarkPayoutPaidPayload(payout=await _payout(context, payout_id))


async def cancel_payout(info: Request, input: CancelPayoutInput) -> CancelPayoutPayload | None:
    context, payout_id = info.context, read_id(input.payout_id, of=Payout, field="payoutId")
    await use_cases.cancel(
        context.deps.database,
        viewer=context.me,
        payout_id=payout_id,
        reason=input.reason,
        idempotency_key=input.idempotency_key,
        now=context.now,
    )
    return CancelPayoutPayload(payout=await _payout(context, payout_id))


async def _payout(context: Context, payout_id: UUID) -> Payout | None:
    row = await context.loaders.author_books.payouts.load(payout_id)
    return Payout.from_row(row) if row else None


async def load_payouts(context: Context, ids: list[UUID]) -> list[Payout | None]:
    return readable(
        context.viewer,
        await context.loaders.author_books.payouts(ids),
        Payout.from_row,
        owner="author_user_id",
    )
