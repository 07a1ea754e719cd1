"""Quotas: whether an account may use more, decided and recorded by one conditional statement.

Everything here runs within the caller's transaction, so that usage and what it is for stand or fall together.
Several resources are all-or-nothing for the same reason: the first refusal raises, and all rolls back.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, case, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app import metrics
from app.db.ids import new_id
from app.db.models import UsageCounter, UsageEvent
from app.db.repositories import outbox
from app.db.rows import Row
from app.domain.errors import QuotaExceeded
from app.domain.outbox import Topic
from app.domain.periods import Period, monthly_period
from app.domain.plans import Kind, Resource
from app.domain.quota import Meter, thresholds_crossed
from app.domain.usage import GAUGE_PERIOD, REGISTRATION
from app.domain.viewer import Allowance


def period_of(resource: Resource, *, anchor_at: datetime, now: datetime) -> Period | None:
    """The period that the resource counts in; None for a gauge, which never resets."""
    return None if resource.kind is Kind.GAUGE else monthly_period(anchor=anchor_at, now=now)


async def consume(
    connection: AsyncConnection,
    allowance: Allowance,
    resource: Resource,
    amount: int,
    *,
    now: datetime,
    occurred_at: datetime | None = None,
    reporter_id: UUID | None = None,
    event_key: str | None = None,
) -> Meter:
    """Uses ``amount`` (1 or more) at once and keeps the raw event beside the counter. Raises QuotaExceeded.

    A reported event (``reporter_id``, ``event_key``) counts in the period in which it occurred.
    """
    at = occurred_at or now
    meter = await admit(connection, allowance, resource, now=at, used=amount)
    await connection.execute(
        insert(UsageEvent).values(
            id=new_id(),
            user_id=allowance.user_id,
            resource=resource,
            amount=amount,
            period_start=start_of(meter.period),
            occurred_at=at,
            recorded_at=now,
            reporter_id=reporter_id,
            event_key=event_key,
        )
    )
    await tell_thresholds(connection, allowance.user_id, meter, amount, now=now)
    return meter


async def admit(
    connection: AsyncConnection,
    allowance: Allowance,
    resource: Resource,
    *,
    now: datetime,
    used: int = 0,
    reserved: int = 0,
) -> Meter:
    """Raises the counter where the limit allows it: one statement, no two callers share the last unit."""
    period, limit = period_of(resource, anchor_at=allowance.anchor_at, now=now), allowance.limits[resource]
    row = None
    if limit is None or used + reserved <= limit:  # the insert of the first row has no WHERE of its own
        row = await _raise_counter(
            connection, allowance.user_id, resource, start_of(period), used, reserved, limit
        )
    if row is None:
        await _refuse(connection, allowance.user_id, resource, period, limit)
    assert row is not None
    return Meter(resource=resource, used=row.used, reserved=row.reserved, limit=limit, period=period)


async def _raise_counter(
    connection: AsyncConnection,
    user_id: UUID,
    resource: Resource,
    period_start: datetime,
    used: int,
    reserved: int,
    limit: int | None,
) -> Row | None:
    dialect_insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    total = UsageCounter.used + UsageCounter.reserved + used + reserved
    statement = (
        dialect_insert(UsageCounter)
        .values(user_id=user_id, resource=resource, period_start=period_start, used=used, reserved=reserved)
        .on_conflict_do_update(
            index_elements=[UsageCounter.user_id, UsageCounter.resource, UsageCounter.period_start],
            set_={"used": UsageCounter.used + used, "reserved": UsageCounter.reserved + reserved},
            where=None if limit is None else total <= limit,
        )
        .returning(UsageCounter.used, UsageCounter.reserved)
    )
    return (await connection.execute(statement)).one_or_none()


async def _refuse(
    connection: AsyncConnection, user_id: UUID, resource: Resource, period: Period | None, limit: int | None
) -> None:
    metrics.QUOTA_REFUSALS.labels(resource).inc()
    found = await counters(connection, user_id=user_id, period_starts=[start_of(period)])
    row = found.get((resource, start_of(period)))
    raise QuotaExceeded(
        resource=resource,
        used=row.used + row.reserved if row else 0,
        limit=limit or 0,
        resets_at=period.end if period else None,
    )


async def tell_thresholds(
    connection: AsyncConnection, user_id: UUID, meter: Meter, raised_by: int, *, now: datetime
) -> None:
    """The change that reaches 80 % or 100 % says so once: the counter passes a value in one statement."""
    after = meter.used + meter.reserved
    for percent in thresholds_crossed(before=after - raised_by, after=after, limit=meter.limit):
        await outbox.add(
            connection,
            Topic.QUOTA_REACHED if percent == 100 else Topic.QUOTA_NEAR,
            {
                "user_id": str(user_id),
                "resource": meter.resource,
                "used": after,
                "limit": meter.limit,
                "percent": percent,
                "resets_at": meter.period.end.isoformat() if meter.period else None,
            },
            now=now,
        )


async def give_back(
    connection: AsyncConnection, *, user_id: UUID, resource: Resource, amount: int, now: datetime
) -> None:
    """Lowers a gauge, as when a stored file is deleted; never below zero."""
    gauge = and_(
        UsageCounter.user_id == user_id,
        UsageCounter.resource == resource,
        UsageCounter.period_start == GAUGE_PERIOD,
    )
    lowered = case((UsageCounter.used > amount, UsageCounter.used - amount), else_=0)
    await connection.execute(update(UsageCounter).where(gauge).values(used=lowered))
    await connection.execute(
        insert(UsageEvent).values(
            id=new_id(),
            user_id=user_id,
            resource=resource,
            amount=-amount,
            period_start=GAUGE_PERIOD,
            occurred_at=now,
            recorded_at=now,
        )
    )


async def record_registration(connection: AsyncConnection, *, user_id: UUID, now: datetime) -> None:
    await connection.execute(
        insert(UsageEvent).values(
            id=new_id(),
            user_id=user_id,
            resource=REGISTRATION,
            amount=1,
            period_start=now,
            occurred_at=now,
            recorded_at=now,
        )
    )


async def counters(
    connection: AsyncConnection, *, user_id: UUID, period_starts: list[datetime]
) -> dict[tuple[str, datetime], Row]:
    """The counters of the account in those periods, by resource and period."""
    statement = select(
        UsageCounter.resource, UsageCounter.period_start, UsageCounter.used, UsageCounter.reserved
    ).where(UsageCounter.user_id == user_id, UsageCounter.period_start.in_(period_starts))
    return {(row.resource, row.period_start): row for row in (await connection.execute(statement)).all()}


def meter_of(
    found: dict[tuple[str, datetime], Row], resource: Resource, *, limit: int | None, month: Period
) -> Meter:
    """How the account stands with the resource, from its ``counters``; without a row, nothing was used."""
    period = None if resource.kind is Kind.GAUGE else month
    row = found.get((resource, start_of(period)))
    used, reserved = (row.used, row.reserved) if row else (0, 0)
    return Meter(resource=resource, used=used, reserved=reserved, limit=limit, period=period)


def start_of(period: Period | None) -> datetime:
    return GAUGE_PERIOD if period is None else period.start
