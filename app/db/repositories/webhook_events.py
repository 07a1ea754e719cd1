"""The inbox: the provider's events, stored once each, claimed by lease, settled once."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import WebhookEvent
from app.db.repositories.keyset import read_page
from app.db.rows import Row, Select
from app.domain.paging import Page, Slice
from app.domain.payments import WebhookStatus
from app.domain.webhooks import MAX_ATTEMPTS, Event

WAITING = WebhookEvent.status.in_([WebhookStatus.RECEIVED, WebhookStatus.FAILED])
CLAIMED: tuple[Any, ...] = (
    WebhookEvent.id,
    WebhookEvent.stripe_event_id,
    WebhookEvent.event_type,
    WebhookEvent.payload,
    WebhookEvent.attempts,
)
EVENT: tuple[Any, ...] = (
    WebhookEvent.id,
    WebhookEvent.stripe_event_id,
    WebhookEvent.event_type,
    WebhookEvent.object_type,
    WebhookEvent.object_id,
    WebhookEvent.status,
    WebhookEvent.attempts,
    WebhookEvent.last_error,
    WebhookEvent.livemode,
    WebhookEvent.api_version,
    WebhookEvent.happened_at,
    WebhookEvent.received_at,
    WebhookEvent.available_at,
    WebhookEvent.processed_at,
)


async def add(
    connection: AsyncConnection, events: Sequence[tuple[Event, WebhookStatus]], *, now: datetime
) -> set[str]:
    """Stores those that are not known yet, all by one statement; the provider's ids of the new ones.

    In the order of their ids: two servers that were sent the same events wait for each other's rows, and each
    would for ever if they began at different ends.
    """
    dialect_insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = (
        dialect_insert(WebhookEvent)
        .on_conflict_do_nothing(index_elements=[WebhookEvent.stripe_event_id])
        .returning(WebhookEvent.stripe_event_id)
    )
    rows = [_row(event, status, now) for event, status in sorted(events, key=lambda each: each[0].id)]
    return set((await connection.execute(statement, rows)).scalars())


def _row(event: Event, status: WebhookStatus, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "stripe_event_id": event.id,
        "event_type": event.type,
        "object_id": event.object_id,
        "object_type": event.object_type,
        "payload": event.payload,
        "livemode": event.livemode,
        "api_version": event.api_version,
        "happened_at": event.happened_at,
        "status": status,
        "attempts": 0,
        "last_error": None,
        "received_at": now,
        "available_at": now,
        "processed_at": None,
    }


async def is_due(connection: AsyncConnection, *, now: datetime) -> bool:
    """Whether a claim would find something: asked first, because a claim writes and this does not."""
    due = select(WebhookEvent.id).where(WAITING, WebhookEvent.available_at <= now)
    return (await connection.execute(due.limit(1))).first() is not None


async def claim(connection: AsyncConnection, *, limit: int, now: datetime, lease: timedelta) -> list[Row]:
    """Up to ``limit`` due events, leased: unless settled, they are due again after the lease."""
    due = (
        select(WebhookEvent.id)
        .where(WAITING, WebhookEvent.available_at <= now)
        .order_by(WebhookEvent.available_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(WebhookEvent)
        .where(WebhookEvent.id.in_(due.scalar_subquery()), WAITING, WebhookEvent.available_at <= now)
        .values(attempts=WebhookEvent.attempts + 1, available_at=now + lease)
        .returning(*CLAIMED)
    )
    return sorted((await connection.execute(statement)).all(), key=lambda event: event.id)


async def extend(connection: AsyncConnection, event_id: UUID, *, attempts: int, until: datetime) -> bool:
    """Whether the lease was still that attempt's."""
    statement = (
        update(WebhookEvent)
        .where(WebhookEvent.id == event_id, WAITING, WebhookEvent.attempts == attempts)
        .values(available_at=until)
    )
    return (await connection.execute(statement)).rowcount == 1


async def settle(
    connection: AsyncConnection, event_ids: Collection[UUID], *, status: WebhookStatus, now: datetime
) -> None:
    """Marks the events processed or ignored, those of them that nobody has."""
    statement = (
        update(WebhookEvent)
        .where(WebhookEvent.id.in_(event_ids), WAITING)
        .values(status=status, processed_at=now, last_error=None)
    )
    await connection.execute(statement)


async def failed(
    connection: AsyncConnection, event_id: UUID, *, attempts: int, error: str, retry_at: datetime
) -> WebhookStatus | None:
    """Puts the event off, or gives it up after the last attempt; None when a later attempt has it."""
    status = WebhookStatus.DEAD if attempts >= MAX_ATTEMPTS else WebhookStatus.FAILED
    statement = (
        update(WebhookEvent)
        .where(WebhookEvent.id == event_id, WAITING, WebhookEvent.attempts == attempts)
        .values(status=status, last_error=error[:1000], available_at=retry_at)
    )
    return status if (await connection.execute(statement)).rowcount == 1 else None


async def backlog(connection: AsyncConnection) -> tuple[int, datetime | None, int]:
    """How many events wait, since when the oldest does, how many are dead."""
    waiting = select(func.count(), func.min(WebhookEvent.received_at)).where(WAITING)
    dead = select(func.count()).where(WebhookEvent.status == WebhookStatus.DEAD)
    number, oldest = (await connection.execute(waiting)).one()
    return number, oldest, (await connection.execute(dead)).scalar_one()


async def by_id(connection: AsyncConnection, event_id: UUID) -> Row | None:
    return (await connection.execute(select(*EVENT).where(WebhookEvent.id == event_id))).one_or_none()


async def replay(connection: AsyncConnection, event_id: UUID, *, now: datetime) -> None:
    """The event waits as if it had just come."""
    await connection.execute(
        update(WebhookEvent)
        .where(WebhookEvent.id == event_id)
        .values(
            status=WebhookStatus.RECEIVED, attempts=0, available_at=now, processed_at=None, last_error=None
        )
    )


async def page_of(connection: AsyncConnection, *, status: WebhookStatus | None, page: Page) -> Slice[Row]:
    """The newest first."""
    statement = _of_status(select(*EVENT), status)
    return await read_page(connection, statement, keys=[(WebhookEvent.id, True)], page=page, order="id")


async def count(connection: AsyncConnection, *, status: WebhookStatus | None) -> int:
    number: int = (
        await connection.execute(_of_status(select(func.count(WebhookEvent.id)), status))
    ).scalar_one()
    return number


def _of_status(statement: Select, status: WebhookStatus | None) -> Select:
    return statement if status is None else statement.where(WebhookEvent.status == status)


async def known(connection: AsyncConnection, stripe_event_ids: Collection[str]) -> set[str]:
    """Those of the provider's ids that were received."""
    statement = select(WebhookEvent.stripe_event_id).where(WebhookEvent.stripe_event_id.in_(stripe_event_ids))
    return set((await connection.execute(statement)).scalars())
