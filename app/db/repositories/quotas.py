"""Quotas: whether an account may use more, decided and recorded by one conditional statement.

Everything here runs within the caller's transaction, so that usage and what it is for stand or fall together.
Several resources are all-or-nothing for the same reason: the first refusal raises, and all rolls back.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select
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
) -> Meter:
    """Uses ``amount`` (1 or more) at once and keeps the raw event. Raises QuotaExceeded."""
    meter = await admit(connection, allowance, resource, now=now, used=amount)
    await record(connection, allowance.user_id, meter, amount, occurred_at=now, now=now)
    return meter


async def record(
    connection: AsyncConnection,
    user_id: UUID,
    meter: Meter,
    amount: int,
    *,
    occurred_at: datetime,
    now: datetime,
) -> None:
    """Keeps the raw event of a use that has raised the counter to ``meter``, and tells what it reached."""
    await connection.execute(
        insert(UsageEvent).values(
            id=new_id(),
            user_id=user_id,
            resource=meter.resource,
            amount=amount,
            period_start=start_of(meter.period),
            occurred_at=occurred_at,
            recorded_at=now,
        )
    )
    await tell_thresholds(connection, user_id, meter, amount, now=now)


async def admit(
    connection: AsyncConnection,
    allowance: Allowance,
    resource: Resource,
    *,
    now: datetime,
    used: int = 0,
    reserved: int = 0,
) -> Meter:
    """``try_to_admit``, where a refusal is the end. Raises QuotaExceeded."""
    meter = await try_to_admit(connection, allowance, resource, now=now, used=used, reserved=reserved)
    if meter is None:
        metrics.QUOTA_REFUSALS.labels(resource).inc()
        raise refusal_of(await standing(connection, allowance, resource, now=now))
    return meter


async def try_to_admit(
    connection: AsyncConnection,
    allowance: Allowance,
    resource: Resource,
    *,
    now: datetime,
    used: int = 0,
    reserved: int = 0,
) -> Meter | None:
    """Raises the counter where the limit allows it: one statement, no two callers share the last unit."""
    period, limit = period_of(resource, anchor_at=allowance.anchor_at, now=now), allowance.limits[resource]
    if limit is not None and used + reserved > limit:  # the insert of the first row has no WHERE of its own
        return None
    row = await _raise_counter(
        connection, allowance.user_id, resource, start_of(period), used, reserved, limit
    )
    if row is None:
        return None
    return Meter(resource=resource, used=row.used, reserved=row.reserved, limit=limit, period=period)


async def standing(
    connection: AsyncConnection, allowance: Allowance, resource: Resource, *, now: datetime
) -> Meter:
    """How the account stands with the resource."""
    month = monthly_period(anchor=allowance.anchor_at, now=now)
    starts = [month.start if resource.kind is Kind.COUNTER else GAUGE_PERIOD]
    found = await counters(connection, user_id=allowance.user_id, period_starts=starts)
    return meter_of(found, resource, limit=allowance.limits[resource], month=month)


def refusal_of(meter: Meter) -> QuotaExceeded:
    return QuotaExceeded(
        resource=meter.resource,
        used=meter.used + meter.reserved,
        limit=meter.limit or 0,
        resets_at=meter.period.end if meter.period else None,
    )


async def hold(
    connection: AsyncConnection, allowance: Allowance, resource: Resource, *, now: datetime
) -> Meter:
    """How the account stands, which nobody else changes until the transaction ends."""
    period = period_of(resource, anchor_at=allowance.anchor_at, now=now)
    row = await _raise_counter(connection, allowance.user_id, resource, start_of(period), 0, 0, None)
    assert row is not None  # without a limit, nothing refuses
    limit = allowance.limits[resource]
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


async def tell_thresholds(
    connection: AsyncConnection, user_id: UUID, meter: Meter, raised_by: int, *, now: datetime
) -> None:
    """The change that reaches 80 % or 100 % says so: once a period and limit, however often it is reached.

    What is held at a time rises and falls all day: of it once in a month of the calendar.
    """
    after, period = meter.told, meter.period.start.isoformat() if meter.period else f"{now:%Y-%m}"
    for percent in thresholds_crossed(before=after - raised_by, after=after, limit=meter.limit):
        topic = Topic.QUOTA_REACHED if percent == 100 else Topic.QUOTA_NEAR
        await outbox.add(
            connection,
            topic,
            {
                "user_id": str(user_id),
                "resource": meter.resource,
                "used": after,
                "limit": meter.limit,
                "percent": percent,
                "resets_at": meter.period.end.isoformat() if meter.period else None,
            },
            now=now,
            key=f"{topic}:{user_id}:{meter.resource}:{meter.limit}:{period}",
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
