"""Notices about an account's plan. They tell how it stands when the mail is written."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from app.db.repositories import subscriptions
from app.domain.papers import day
from app.domain.plans import Interval, Tier
from app.domain.subscriptions import LIVE, SubscriptionStatus
from app.services.notices.post import Post, amount


async def trial_ending(post: Post, subscription_id: UUID, *, key: str) -> None:
    """Nothing where the trial is over. Raises MailError."""
    found = await _read(post, subscription_id)
    if found is None or found.status != SubscriptionStatus.TRIALING or found.trial_end is None:
        return
    await post.send(
        "trial_ending",
        key=key,
        to=found.email,
        username=found.username,
        plan=_name(post, found.tier),
        price=_price(found),
        ends_at=day(found.trial_end),
        cancels=found.cancel_at_period_end,
    )


async def changed(post: Post, subscription_id: UUID, *, key: str) -> None:
    """Another plan, one that follows, an end that was set or taken back. Raises MailError."""
    found = await _read(post, subscription_id)
    if found is None or found.ended_at is not None:
        return
    await post.send(
        "subscription_changed",
        key=key,
        to=found.email,
        username=found.username,
        plan=_name(post, found.tier),
        next_plan=_next(post, found) if found.scheduled_tier else None,
        price=_price(found),
        period_end=day(found.current_period_end),
        cancels=found.cancel_at_period_end,
    )


async def ended(post: Post, subscription_id: UUID, *, key: str) -> None:
    """It gives its plan no more, also where the provider keeps it, unpaid. Raises MailError."""
    found = await _read(post, subscription_id)
    if found is None or found.status in LIVE:
        return
    await post.send(
        "subscription_ended",
        key=key,
        to=found.email,
        username=found.username,
        plan=_name(post, found.tier),
        ended_at=day(found.ended_at or found.updated_at),
    )


async def _read(post: Post, subscription_id: UUID) -> Row[Any] | None:
    """None for an unknown subscription and for a deleted account."""
    async with post.database.read() as connection:
        return await subscriptions.as_told(connection, subscription_id)


def _name(post: Post, tier: str) -> str:
    return post.plans[Tier(tier)].name


def _next(post: Post, found: Row[Any]) -> str:
    """How often it is paid, too, where that is what changes."""
    name = _name(post, found.scheduled_tier)
    same = found.scheduled_tier == Tier.FREE or found.scheduled_interval == found.billing_interval
    return name if same else f"{name} by the {found.scheduled_interval}"


def _price(found: Row[Any]) -> str | None:
    if found.price_cents is None or found.currency is None:
        return None
    every = "year" if found.billing_interval == Interval.YEAR else "month"
    return f"{amount(found.price_cents, found.currency)} a {every}"
