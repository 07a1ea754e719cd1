"""Changes of plan: written down before the provider is asked, settled once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import TierChange
from app.db.rows import Row
from app.domain.subscriptions import ChangeStatus

_COLUMNS = tuple(TierChange.__table__.columns)
_OPEN = (ChangeStatus.REQUESTED, ChangeStatus.WAITING)


async def add(connection: AsyncConnection, **values: Any) -> None:
    await connection.execute(insert(TierChange).values(status=ChangeStatus.REQUESTED, **values))


async def by_id(connection: AsyncConnection, change_id: UUID) -> Row:
    return (await connection.execute(select(*_COLUMNS).where(TierChange.id == change_id))).one()


async def is_open(connection: AsyncConnection, user_id: UUID) -> bool:
    """Whether something that was asked for the account is under way: not what waits for its payer."""
    statement = select(TierChange.id).where(
        TierChange.user_id == user_id, TierChange.status == ChangeStatus.REQUESTED
    )
    return (await connection.execute(statement.limit(1))).first() is not None


async def waiting_of(connection: AsyncConnection, user_id: UUID) -> list[Row]:
    """What waits for its payer."""
    statement = select(*_COLUMNS).where(
        TierChange.user_id == user_id, TierChange.status == ChangeStatus.WAITING
    )
    return list((await connection.execute(statement)).all())


async def look_again(connection: AsyncConnection, user_id: UUID, *, now: datetime) -> None:
    """At what waits for its payer: it does so no longer."""
    await connection.execute(
        update(TierChange)
        .where(TierChange.user_id == user_id, TierChange.status == ChangeStatus.WAITING)
        .values(check_at=now, updated_at=now)
    )


async def used(connection: AsyncConnection, quote_id: UUID) -> bool:
    statement = select(TierChange.id).where(TierChange.quote_id == quote_id)
    return (await connection.execute(statement)).first() is not None


async def settle(
    connection: AsyncConnection,
    change_id: UUID,
    *,
    status: ChangeStatus,
    details: Mapping[str, Any],
    failure_code: str | None,
    check_at: datetime | None,
    now: datetime,
) -> None:
    """Once: what is settled stays as it was told. ``check_at``: of what waits for its payer."""
    await connection.execute(
        update(TierChange)
        .where(TierChange.id == change_id, TierChange.status.in_(_OPEN))
        .values(
            status=status,
            details=dict(details),
            failure_code=failure_code,
            check_at=check_at,
            updated_at=now,
        )
    )


async def is_due(connection: AsyncConnection, *, now: datetime) -> bool:
    """Whether a claim would find something: asked first, because a claim writes and this does not."""
    due = select(TierChange.id).where(TierChange.check_at.is_not(None), TierChange.check_at <= now)
    return (await connection.execute(due.limit(1))).first() is not None


async def claim_due(connection: AsyncConnection, *, limit: int, until: datetime, now: datetime) -> list[UUID]:
    """Those that nobody has settled in time, the oldest first; they are due again at ``until``."""
    due = (
        select(TierChange.id)
        .where(TierChange.check_at.is_not(None), TierChange.check_at <= now)
        .order_by(TierChange.check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(TierChange)
        .where(TierChange.id.in_(due.scalar_subquery()), TierChange.check_at <= now)
        .values(check_at=until)
        .returning(TierChange.id)
    )
    return sorted((await connection.execute(statement)).scalars())
