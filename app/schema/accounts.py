"""Accounts: the User and what belongs to it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.dataloaders import projections
from app.dataloaders.usage import Counters
from app.db.repositories import quotas
from app.domain.errors import Unauthenticated
from app.domain.periods import Period, monthly_period
from app.domain.plans import Plan
from app.domain.quota import Meter as DomainMeter
from app.engine.strawberry_schema import batched
from app.schema.access import check_owner, checked
from app.schema.api_keys import ApiKey
from app.schema.connections import Connection, paged
from app.schema.enums import Role, Tier
from app.schema.node import Node
from app.schema.ready import by_database, own_ids
from app.schema.subscriptions import Subscription
from app.schema.usage import Meter, Usage, UsagePeriod
from app.schema.user_books import Books

Request = Info[Context, None]


async def load_subscriptions(users: Sequence["User"], info: Request) -> list[Subscription | None]:
    rows = await info.context.loaders.accounts.live_subscriptions([user.user_id for user in users])
    return [Subscription.at(row, info.context.now) if row else None for row in rows]


async def load_usage(
    users: Sequence["User"],
    info: Request,
    period: UsagePeriod = UsagePeriod.CURRENT,
    at: datetime | None = None,
) -> list[Usage | Unauthenticated]:
    rows = await info.context.loaders.accounts.live_subscriptions([user.user_id for user in users])
    live = {row.user_id: row for row in rows if row}
    moment = at or info.context.now
    months = {user_id: _month(row.anchor_at, period, moment) for user_id, row in live.items()}
    deps = info.context.deps
    async with deps.calls.held_still(months) as of_now:
        found = await info.context.loaders.usage.counters(
            [(user_id, month.start) for user_id, month in months.items()]
        )
        usages = {
            user_id: _usage(counters, partial(of_now, user_id), deps.plans[Tier(live[user_id].tier)], month)
            for (user_id, month), counters in zip(months.items(), found, strict=True)
        }
    return [usages.get(user.user_id) or Unauthenticated() for user in users]


def _month(anchor_at: datetime, period: UsagePeriod, at: datetime) -> Period:
    current = monthly_period(anchor=anchor_at, now=at)
    if period is UsagePeriod.CURRENT:
        return current
    return monthly_period(anchor=anchor_at, now=current.start - timedelta(microseconds=1))


def _usage(
    counters: Counters, of_now: Callable[[DomainMeter], DomainMeter], plan: Plan, month: Period
) -> Usage:
    meters = [
        of_now(quotas.meter_of(counters, resource, limit=limit, month=month))
        for resource, limit in plan.limits.items()
    ]
    return Usage(period_start=month.start, period_end=month.end, meters=[Meter.of(meter) for meter in meters])


@strawberry.type(description="An account. Everything in it is its owner's to read, with the scope READ.")
class User(Books, Node):
    """``proven``: the request just proved to be the owner's, as by signing in, without credentials."""

    email: str = strawberry.field(description="Normalised to lower case.")
    username: str = strawberry.field(description="The public name.")
    display_name: str | None = strawberry.field(description="How the person likes to be called.")
    email_verified: bool = strawberry.field(description="Whether the address was verified.")
    role: Role = strawberry.field(description="What it is in the marketplace.")
    tier: Tier = strawberry.field(description="The plan it has.")
    created_at: datetime = strawberry.field(description="When it was opened.")
    user_id: strawberry.Private[UUID]
    proven: strawberry.Private[bool] = False

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "User":
        return super().from_row(
            row,
            user_id=row.id,
            role=Role(row.role),
            tier=Tier(row.tier),
            email_verified=row.email_verified_at is not None,
            **given,
        )

    def check(self, info: Request) -> None:
        if not self.proven:
            check_owner(info, self.user_id)

    subscription: Subscription | None = batched(
        checked(load_subscriptions), description="The live subscription."
    )
    api_keys: Connection[ApiKey] = batched(
        checked(
            paged(
                Connection[ApiKey],
                ApiKey.from_row,
                of="user_id",
                pages=lambda loaders: loaders.accounts.api_key_pages,
                counts=lambda loaders: loaders.accounts.api_key_counts,
            )
        ),
        metadata=by_database(projections.API_KEYS, own_ids),
        description="The API keys, newest first, revoked ones included.",
    )
    usage: Usage = batched(checked(load_usage), description="What was used in a period, and what is left.")
