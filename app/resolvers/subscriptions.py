"""Subscriptions: decode, call one use case, wrap."""

from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.db.repositories import subscriptions
from app.domain.errors import InvalidInput
from app.schema.errors import as_data
from app.schema.node import split_id
from app.schema.subscribing import (
    CancelSubscriptionInput,
    CancelSubscriptionPayload,
    ChangeTierInput,
    ChangeTierPayload,
    PreviewTierChangeInput,
    PreviewTierChangePayload,
    ResumeSubscriptionInput,
    ResumeSubscriptionPayload,
    TierQuote,
)
from app.schema.subscriptions import Subscription
from app.services import tier_changes, tier_quotes

Request = Info[Context, None]


async def preview_tier_change(
    info: Request, input: PreviewTierChangeInput
) -> PreviewTierChangePayload | None:
    context = info.context
    quote = await tier_quotes.preview(
        tools=context.deps.tools,
        user_id=context.me.user_id,
        tier=input.tier,
        interval=input.interval,
        now=context.now,
    )
    return PreviewTierChangePayload(quote=TierQuote.of(quote))


async def change_tier(info: Request, input: ChangeTierInput) -> ChangeTierPayload | None:
    context = info.context
    changed = await tier_changes.change(
        tools=context.deps.tools,
        user_id=context.me.user_id,
        tier=input.tier,
        interval=input.interval,
        quote_id=_quote_id(input.quote_id),
        idempotency_key=input.idempotency_key,
        now=context.now,
    )
    return ChangeTierPayload(
        subscription=await _subscription(context),
        client_secret=changed.client_secret,
        setup_client_secret=changed.setup_secret,
        errors=[as_data(changed.problem)] if changed.problem else [],
    )


async def cancel_subscription(
    info: Request, input: CancelSubscriptionInput
) -> CancelSubscriptionPayload | None:
    context = info.context
    await tier_changes.cancel(
        tools=context.deps.tools,
        user_id=context.me.user_id,
        at_period_end=input.at_period_end,
        idempotency_key=input.idempotency_key,
        now=context.now,
    )
    return CancelSubscriptionPayload(subscription=await _subscription(context))


async def resume_subscription(
    info: Request, input: ResumeSubscriptionInput
) -> ResumeSubscriptionPayload | None:
    context = info.context
    await tier_changes.resume(
        tools=context.deps.tools,
        user_id=context.me.user_id,
        idempotency_key=input.idempotency_key,
        now=context.now,
    )
    return ResumeSubscriptionPayload(subscription=await _subscription(context))


def _quote_id(text: strawberry.ID) -> UUID:
    split = split_id(text)
    if split is None or split[0] != "TierQuote":
        raise InvalidInput("quoteId", "'quoteId' is not the id of a TierQuote.")
    return split[1]


async def _subscription(context: Context) -> Subscription | None:
    """The paid one that matters, else the one of the free plan."""
    user_id = context.me.user_id
    async with context.deps.database.read() as connection:
        row = await subscriptions.paid_of(connection, user_id) or await subscriptions.live_of(
            connection, user_id
        )
    return Subscription.at(row, context.now) if row else None
