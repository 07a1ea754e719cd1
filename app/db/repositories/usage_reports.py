"""Reported usage: events that count once per reporter, whose they are, and whether the sums are right."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import Subscription, UsageCounter, UsageEvent, UsageReservation, User
from app.db.models.subscriptions import LIVE_ROW
from app.domain.usage import REGISTRATION, ReservationState
from app.domain.usage_reports import ReportedEvent

STORED: tuple[Any, ...] = (
    UsageEvent.event_key,
    UsageEvent.user_id,
    UsageEvent.resource,
    UsageEvent.amount,
    UsageEvent.occurred_at,
)


async def metered(connection: AsyncConnection, user_ids: Sequence[UUID]) -> list[Row[Any]]:
    """(id, tier, created_at, anchor_at) of those that are accounts."""
    columns: tuple[Any, ...] = (User.id, User.tier, User.created_at, Subscription.anchor_at)
    statement = (
        select(*columns)
        .join(Subscription, Subscription.user_id == User.id)
        .where(User.id.in_(user_ids), User.deleted_at.is_(None), LIVE_ROW)
    )
    return list((await connection.execute(statement)).all())


async def add_new(
    connection: AsyncConnection,
    events: Sequence[tuple[ReportedEvent, datetime]],
    *,
    reporter_id: UUID,
    now: datetime,
) -> set[str]:
    """Stores those events, each with the start of its period, that the reporter has not stated; their ids.

    Always in the order of the ids, so that two batches never wait for each other in a circle.
    """
    dialect_insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    rows = [
        {
            "id": new_id(),
            "user_id": event.user_id,
            "resource": event.resource,
            "amount": event.amount,
            "period_start": period_start,
            "occurred_at": event.occurred_at,
            "recorded_at": now,
            "reporter_id": reporter_id,
            "event_key": event.event_id,
        }
        for event, period_start in sorted(events, key=lambda pair: pair[0].event_id)
    ]
    statement = (
        dialect_insert(UsageEvent)
        .on_conflict_do_nothing(index_elements=[UsageEvent.reporter_id, UsageEvent.event_key])
        .returning(UsageEvent.event_key)
    )
    return {row.event_key for row in (await connection.execute(statement, rows)).all() if row.event_key}


async def stored(
    connection: AsyncConnection, *, reporter_id: UUID, event_ids: Sequence[str]
) -> dict[str, Row[Any]]:
    statement = select(*STORED).where(
        UsageEvent.reporter_id == reporter_id, UsageEvent.event_key.in_(event_ids)
    )
    return {row.event_key: row for row in (await connection.execute(statement)).all()}


async def take_back(connection: AsyncConnection, *, reporter_id: UUID, event_ids: Sequence[str]) -> None:
    """Within the transaction that stored them: to others they never were."""
    await connection.execute(
        delete(UsageEvent).where(UsageEvent.reporter_id == reporter_id, UsageEvent.event_key.in_(event_ids))
    )


async def drift(connection: AsyncConnection, *, limit: int) -> list[Row[Any]]:
    """Counters that differ from what they sum up: ``used`` and ``recorded``, ``reserved`` and ``held``."""
    parts = union_all(_counted(), _recorded(), _held()).subquery()
    key = (parts.c.user_id, parts.c.resource, parts.c.period_start)
    sums = {name: func.sum(parts.c[name]) for name in ("used", "recorded", "reserved", "held")}
    statement = (
        select(*key, *(total.label(name) for name, total in sums.items()))
        .group_by(*key)
        .having((sums["used"] != sums["recorded"]) | (sums["reserved"] != sums["held"]))
        .order_by(*key)
        .limit(limit)
    )
    return list((await connection.execute(statement)).all())


def _counted() -> Select[Any]:
    return _part(UsageCounter, used=UsageCounter.used, reserved=UsageCounter.reserved)


def _recorded() -> Select[Any]:
    return _part(UsageEvent, recorded=UsageEvent.amount).where(UsageEvent.resource != REGISTRATION)


def _held() -> Select[Any]:
    held = UsageReservation.state == ReservationState.HELD
    return _part(UsageReservation, held=UsageReservation.amount).where(held)


def _part(table: Any, **amounts: Any) -> Select[Any]:
    names = ("used", "recorded", "reserved", "held")
    columns = [amounts.get(name, literal(0)).label(name) for name in names]
    return select(table.user_id, table.resource, table.period_start, *columns)
