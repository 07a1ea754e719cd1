"""Accounts: the User and what belongs to it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.db.repositories import api_keys, quotas, subscriptions
from app.domain.errors import Unauthenticated
from app.domain.paging import page
from app.domain.periods import Period, monthly_period
from app.domain.usage import GAUGE_PERIOD
from app.schema.access import check_owner
from app.schema.api_keys import ApiKey
from app.schema.connections import Connection
from app.schema.enums import Role, Tier
from app.schema.node import Node
from app.schema.paging import After, Before, First, Last
from app.schema.subscriptions import Subscription
from app.schema.usage import Meter, Usage, UsagePeriod
from app.schema.user_books import Books

Request = Info[Context, None]


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

    @strawberry.field(description="The live subscription.")
    async def subscription(self, info: Request) -> Subscription | None:
        self.check(info)
        async with info.context.deps.database.read() as connection:
            row = await subscriptions.live_of(connection, self.user_id)
        return Subscription.at(row, info.context.now) if row else None

    @strawberry.field(description="The API keys, newest first, revoked ones included.")
    async def api_keys(
        self,
        info: Request,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ApiKey]:
        self.check(info)
        wanted = page(order="id", first=first, after=after, last=last, before=before)
        database = info.context.deps.database
        async with database.read() as connection:
            found = await api_keys.page_of(connection, self.user_id, page=wanted)

        async def count() -> int:
            async with database.read() as connection:
                return await api_keys.count(connection, self.user_id)

        return Connection[ApiKey].of(found, ApiKey.from_row, count=count)

    @strawberry.field(description="What was used in a period, and what is left.")
    async def usage(
        self, info: Request, period: UsagePeriod = UsagePeriod.CURRENT, at: datetime | None = None
    ) -> Usage:
        self.check(info)
        async with info.context.deps.database.read() as connection:
            subscription = await subscriptions.live_of(connection, self.user_id)
            if subscription is None:
                raise Unauthenticated
            month = _month(subscription.anchor_at, period, at or info.context.now)
            found = await quotas.counters(
                connection, user_id=self.user_id, period_starts=[month.start, GAUGE_PERIOD]
            )
        limits = info.context.deps.plans[Tier(subscription.tier)].limits
        meters = [
            quotas.meter_of(found, resource, limit=limit, month=month) for resource, limit in limits.items()
        ]
        return Usage(
            period_start=month.start, period_end=month.end, meters=[Meter.of(meter) for meter in meters]
        )


def _month(anchor_at: datetime, period: UsagePeriod, at: datetime) -> Period:
    current = monthly_period(anchor=anchor_at, now=at)
    if period is UsagePeriod.CURRENT:
        return current
    return monthly_period(anchor=anchor_at, now=current.start - timedelta(microseconds=1))
