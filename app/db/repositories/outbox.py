"""The outbox: facts stored with their business rows, claimed by lease, done once."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, not_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import OutboxFact
from app.db.repositories.keyset import read_page
from app.db.rows import Row
from app.domain.outbox import LEASE, MAX_ATTEMPTS, FactState, Topic
from app.domain.paging import Page, Slice

JOB: tuple[Any, ...] = (
    OutboxFact.id,
    OutboxFact.topic,
    OutboxFact.state,
    OutboxFact.attempts,
    OutboxFact.last_error,
    OutboxFact.created_at,
    OutboxFact.available_at,
    OutboxFact.done_at,
)


async def add(
    connection: AsyncConnection,
    topic: Topic,
    payload: dict[str, Any],
    *,
    now: datetime,
    key: str | None = None,
    at: datetime | None = None,
) -> UUID | None:
    """States a fact, to be acted on from ``at`` on (default: at once).

    Of facts with the same ``key`` (at most 255 characters) there is only the first, as long as it is kept:
    then None. Without a key every call states a fact of its own.
    """
    dialect_insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = dialect_insert(OutboxFact).values(
        id=new_id(),
        topic=topic,
        payload=payload,
        state=FactState.WAITING,
        attempts=0,
        created_at=now,
        available_at=at or now,
        unique_key=key,
    )
    if key is not None:
        statement = statement.on_conflict_do_nothing(index_elements=[OutboxFact.unique_key])
    return (await connection.execute(statement.returning(OutboxFact.id))).scalar_one_or_none()


async def known_keys(connection: AsyncConnection, keys: Collection[str]) -> set[str]:
    """Those of ``keys`` under which there is a fact."""
    statement = select(OutboxFact.unique_key).where(OutboxFact.unique_key.in_(keys))
    return {key for key in (await connection.execute(statement)).scalars() if key is not None}


async def is_due(connection: AsyncConnection, *, now: datetime) -> bool:
    """Whether a claim would find something: asked first, because a claim writes and this does not."""
    due = select(OutboxFact.id).where(OutboxFact.state == FactState.WAITING, OutboxFact.available_at <= now)
    return (await connection.execute(due.limit(1))).first() is not None


async def claim(
    connection: AsyncConnection, *, limit: int, now: datetime, lease: timedelta = LEASE
) -> list[Row]:
    """Up to ``limit`` due facts, oldest first, leased: unless done, they are due again after the lease."""
    due = (
        select(OutboxFact.id)
        .where(OutboxFact.state == FactState.WAITING, OutboxFact.available_at <= now)
        .order_by(OutboxFact.available_at, OutboxFact.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(OutboxFact)
        .where(
            OutboxFact.id.in_(due.scalar_subquery()),
            OutboxFact.state == FactState.WAITING,
            OutboxFact.available_at <= now,
        )
        .values(attempts=OutboxFact.attempts + 1, available_at=now + lease)
        .returning(
            OutboxFact.id, OutboxFact.topic, OutboxFact.payload, OutboxFact.attempts, OutboxFact.created_at
        )
    )
    return sorted((await connection.execute(statement)).all(), key=lambda fact: fact.id)


async def extend(connection: AsyncConnection, fact_id: UUID, *, attempts: int, until: datetime) -> bool:
    """Whether the lease was still that attempt's."""
    statement = (
        update(OutboxFact)
        .where(
            OutboxFact.id == fact_id,
            OutboxFact.state == FactState.WAITING,
            OutboxFact.attempts == attempts,
        )
        .values(available_at=until)
    )
    return (await connection.execute(statement)).rowcount == 1


async def done(connection: AsyncConnection, fact_id: UUID, *, now: datetime) -> None:
    await connection.execute(
        update(OutboxFact)
        .where(OutboxFact.id == fact_id)
        .values(state=FactState.DONE, done_at=now, last_error=None)
    )


async def failed(
    connection: AsyncConnection, fact_id: UUID, *, attempts: int, error: str, retry_at: datetime
) -> FactState | None:
    """Puts the fact off, or gives it up after the last attempt; None when a later attempt has it."""
    state = FactState.DEAD if attempts >= MAX_ATTEMPTS else FactState.WAITING
    statement = (
        update(OutboxFact)
        .where(
            OutboxFact.id == fact_id,
            OutboxFact.state == FactState.WAITING,
            OutboxFact.attempts == attempts,
        )
        .values(state=state, last_error=error[:1000], available_at=retry_at)
    )
    return state if (await connection.execute(statement)).rowcount == 1 else None


async def backlog(connection: AsyncConnection, *, now: datetime) -> Sequence[Row]:
    """``topic``, ``state`` (waiting or dead), ``facts``, and ``oldest``: when the oldest was stated.

    What is only to be acted on later is no backlog.
    """
    to_come = and_(OutboxFact.attempts == 0, OutboxFact.available_at > now)
    statement = (
        select(
            OutboxFact.topic,
            OutboxFact.state,
            func.count().label("facts"),
            func.min(OutboxFact.created_at).label("oldest"),
        )
        .where(OutboxFact.state.in_([FactState.WAITING, FactState.DEAD]), not_(to_come))
        .group_by(OutboxFact.topic, OutboxFact.state)
    )
    return (await connection.execute(statement)).all()


async def by_id(connection: AsyncConnection, fact_id: UUID) -> Row | None:
    return (await connection.execute(select(*JOB).where(OutboxFact.id == fact_id))).one_or_none()


async def replay(connection: AsyncConnection, fact_id: UUID, *, now: datetime) -> bool:
    """The fact waits as if it had just been stated; False for one that is not dead."""
    statement = (
        update(OutboxFact)
        .where(OutboxFact.id == fact_id, OutboxFact.state == FactState.DEAD)
        .values(state=FactState.WAITING, attempts=0, available_at=now, last_error=None)
    )
    return (await connection.execute(statement)).rowcount == 1


async def page_of(connection: AsyncConnection, *, state: FactState, page: Page) -> Slice[Row]:
    """The newest first."""
    statement = select(*JOB).where(OutboxFact.state == state)
    return await read_page(connection, statement, keys=[(OutboxFact.id, True)], page=page, order="id")


async def count(connection: AsyncConnection, *, state: FactState) -> int:
    number: int = (
        await connection.execute(select(func.count(OutboxFact.id)).where(OutboxFact.state == state))
    ).scalar_one()
    return number
