"""Subscriptions: the live one of an account, the paid ones as the provider tells them, new ones."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import Subscription, User
from app.db.models.subscriptions import LIVE_ROW
from app.db.rows import Row
from app.domain.periods import Period
from app.domain.plans import Tier
from app.domain.subscriptions import LIVE, OVER, SubscriptionStatus

SUBSCRIPTION: tuple[Any, ...] = (
    Subscription.id,
    Subscription.user_id,
    Subscription.tier,
    Subscription.billing_interval,
    Subscription.status,
    Subscription.anchor_at,
    Subscription.current_period_start,
    Subscription.current_period_end,
    Subscription.cancel_at_period_end,
    Subscription.price_cents,
    Subscription.currency,
    Subscription.trial_end,
    Subscription.past_due_since,
    Subscription.scheduled_tier,
    Subscription.scheduled_interval,
    Subscription.stripe_subscription_id,
    Subscription.stripe_schedule_id,
    Subscription.superseded_at,
    Subscription.created_at,
    Subscription.updated_at,
    Subscription.ended_at,
)
_PAID = Subscription.stripe_subscription_id.is_not(None)
_TOLD: tuple[Any, ...] = (*SUBSCRIPTION, User.email, User.username)


async def live_of(connection: AsyncConnection, user_id: UUID) -> Row | None:
    statement = select(*SUBSCRIPTION).where(Subscription.user_id == user_id, LIVE_ROW)
    return (await connection.execute(statement)).one_or_none()


async def paid_of(connection: AsyncConnection, user_id: UUID) -> Row | None:
    """The paid one that matters: the live one, else the newest that is neither over nor superseded."""
    statement = (
        select(*SUBSCRIPTION)
        .where(
            Subscription.user_id == user_id,
            _PAID,
            Subscription.superseded_at.is_(None),
            Subscription.status.not_in(OVER),
        )
        .order_by(Subscription.status.in_(LIVE).desc(), Subscription.created_at.desc())
        .limit(1)
    )
    return (await connection.execute(statement)).one_or_none()


async def started_of(connection: AsyncConnection, user_id: UUID) -> list[Row]:
    """Every paid one that is not over."""
    statement = select(*SUBSCRIPTION).where(
        Subscription.user_id == user_id, _PAID, Subscription.status.not_in(OVER)
    )
    return list((await connection.execute(statement)).all())


async def are_paid_by(connection: AsyncConnection, user_id: UUID, method_id: str) -> bool:
    """Whether the provider's payment method is the own default of one that is not over."""
    statement = select(Subscription.id).where(
        Subscription.user_id == user_id, Subscription.stripe_default_method_id == method_id
    )
    return (await connection.execute(statement.limit(1))).first() is not None


async def by_provider_id(connection: AsyncConnection, subscription_id: str) -> Row | None:
    statement = select(*SUBSCRIPTION).where(Subscription.stripe_subscription_id == subscription_id)
    return (await connection.execute(statement)).one_or_none()


async def had_trial(connection: AsyncConnection, user_id: UUID) -> bool:
    statement = select(Subscription.id).where(
        Subscription.user_id == user_id, Subscription.trial_end.is_not(None)
    )
    return (await connection.execute(statement.limit(1))).first() is not None


async def of_customer(connection: AsyncConnection, customer_id: str) -> Row | None:
    """As ``hold_customer``, without the lock."""
    statement = select(User.id, User.tier, User.deleted_at).where(User.stripe_customer_id == customer_id)
    return (await connection.execute(statement)).one_or_none()


async def hold_customer(connection: AsyncConnection, customer_id: str) -> Row | None:
    """(id, tier, deleted_at) of the account that is the provider's customer, locked; ended ones too."""
    statement = (
        select(User.id, User.tier, User.deleted_at)
        .where(User.stripe_customer_id == customer_id)
        .with_for_update()
    )
    return (await connection.execute(statement)).one_or_none()


async def as_told(connection: AsyncConnection, subscription_id: UUID) -> Row | None:
    """With whom it is told to; None for an unknown subscription and for a deleted account."""
    statement = (
        select(*_TOLD)
        .join(User, User.id == Subscription.user_id)
        .where(Subscription.id == subscription_id, User.deleted_at.is_(None))
    )
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
    """One that costs nothing, and that the provider does not know."""
    await add(
        connection,
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


async def add(connection: AsyncConnection, **values: Any) -> UUID:
    subscription_id = new_id()
    await connection.execute(insert(Subscription).values(id=subscription_id, **values))
    return subscription_id


async def change(connection: AsyncConnection, subscription_id: UUID, values: Mapping[str, Any]) -> None:
    await connection.execute(update(Subscription).where(Subscription.id == subscription_id).values(**values))


async def newest_superseded(connection: AsyncConnection, user_id: UUID) -> Row | None:
    """What would give the tier if nothing else did."""
    statement = (
        select(*SUBSCRIPTION)
        .where(
            Subscription.user_id == user_id,
            Subscription.status.in_(LIVE),
            Subscription.superseded_at.is_not(None),
        )
        .order_by(Subscription.created_at.desc())
        .limit(1)
    )
    return (await connection.execute(statement)).one_or_none()


async def end_free(connection: AsyncConnection, user_id: UUID, *, now: datetime) -> None:
    """Of an account that ends: what is paid, the provider ends first."""
    await connection.execute(
        update(Subscription)
        .where(Subscription.user_id == user_id, LIVE_ROW, Subscription.stripe_subscription_id.is_(None))
        .values(status=SubscriptionStatus.CANCELED, ended_at=now, updated_at=now)
    )


async def set_tier(connection: AsyncConnection, user_id: UUID, tier: Tier, *, now: datetime) -> None:
    """Derived from the live subscription, in the transaction that changes it, and by nobody else."""
    await connection.execute(
        update(User).where(User.id == user_id, User.tier != tier).values(tier=tier, updated_at=now)
    )
