"""The provider's prices of the plans: by what is offered, and the other way round."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import PlanPrice
from app.domain.money import Money
from app.domain.plans import Interval, Tier
from app.domain.subscriptions import Offer


async def id_of(connection: AsyncConnection, offer: Offer, price: Money) -> str | None:
    statement = select(PlanPrice.stripe_price_id).where(
        PlanPrice.tier == offer.tier,
        PlanPrice.billing_interval == offer.interval,
        PlanPrice.amount_cents == price.amount_cents,
        PlanPrice.currency == price.currency,
    )
    return (await connection.execute(statement)).scalar_one_or_none()


async def offer_of(connection: AsyncConnection, price_id: str) -> Offer | None:
    """What a price is for, also one that is not asked any more."""
    statement = select(PlanPrice.tier, PlanPrice.billing_interval).where(
        PlanPrice.stripe_price_id == price_id
    )
    row = (await connection.execute(statement)).one_or_none()
    return Offer(Tier(row.tier), Interval(row.billing_interval)) if row else None


async def record(
    connection: AsyncConnection, offer: Offer, price: Money, *, price_id: str, now: datetime
) -> None:
    """Two that record the same at once record it once."""
    dialect_insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    await connection.execute(
        dialect_insert(PlanPrice)
        .values(
            id=new_id(),
            tier=offer.tier,
            billing_interval=offer.interval,
            amount_cents=price.amount_cents,
            currency=price.currency,
            stripe_price_id=price_id,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )
