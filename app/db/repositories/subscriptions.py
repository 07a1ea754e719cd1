"""Subscriptions: the live one of an account, and new ones."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import Subscription
from app.db.rows import Row
from app.domain.periods import Period
from app.domain.plans import Tier
from app.domain.subscriptions import LIVE, SubscriptionStatus

SUBSCRIPTION = (
    Subscription.id,
    Subscription.user_id,
    Subscription.tier,
    Subscription.status,
    Subscription.anchor_at,
    Subscription.current_period_start,
    Subscription.current_period_end,
    Subscription.cancel_at_period_end,
    Subscription.created_at,
)


async def live_of(connection: AsyncConnection, user_id: UUID) -> Row | None:
    statement = select(*SUBSCRIPTION).where(Subscription.user_id == user_id, Subscription.status.in_(LIVE))
    return (await connection.execute(statement)).one_or_none()


async def start(
    connection: AsyncConnection,
    *,
    user_id: UUID,
    tier: Tier,
    anchor_at: datetime,
    period: Period,
    now: datetime,
) -> None:
    await connection.execute(
        insert(Subscription).values(
            id=new_id(),
            user_id=user_id,
            tier=tier,
            status=SubscriptionStatus.ACTIVE,
            anchor_at=anchor_at,
            current_period_start=period.start,
            current_period_end=period.end,
            cancel_at_period_end=False,
            created_at=now,
            updated_at=now,
        )
    )


async def end(connection: AsyncConnection, user_id: UUID, *, now: datetime) -> None:
    await connection.execute(
        update(Subscription)
        .where(Subscription.user_id == user_id, Subscription.status.in_(LIVE))
        .values(status=SubscriptionStatus.CANCELED, ended_at=now, updated_at=now)
    )
