"""API keys as they are listed, made, ended and marked as used."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import ApiKey
from app.db.rows import Row
from app.domain.api_keys import Scope

API_KEY = (
    ApiKey.id,
    ApiKey.user_id,
    ApiKey.name,
    ApiKey.prefix,
    ApiKey.scopes,
    ApiKey.created_at,
    ApiKey.expires_at,
    ApiKey.revoked_at,
    ApiKey.last_used_at,
)


async def add(
    connection: AsyncConnection,
    *,
    user_id: UUID,
    name: str,
    prefix: str,
    key_hash: str,
    scopes: Collection[Scope],
    expires_at: datetime | None,
    replaces_id: UUID | None,
    now: datetime,
) -> UUID:
    key_id = new_id()
    await connection.execute(
        insert(ApiKey).values(
            id=key_id,
            user_id=user_id,
            name=name,
            prefix=prefix,
            key_hash=key_hash,
            scopes=sorted(scopes),
            expires_at=expires_at,
            replaces_id=replaces_id,
            created_at=now,
        )
    )
    return key_id


async def by_id(connection: AsyncConnection, *, key_id: UUID, user_id: UUID) -> Row | None:
    statement = select(*API_KEY).where(ApiKey.id == key_id, ApiKey.user_id == user_id)
    return (await connection.execute(statement)).one_or_none()


async def count_live(connection: AsyncConnection, user_id: UUID, *, now: datetime) -> int:
    statement = select(func.count()).select_from(ApiKey).where(ApiKey.user_id == user_id, *_live(now))
    return (await connection.execute(statement)).scalar_one()


async def live(connection: AsyncConnection, *, key_id: UUID, user_id: UUID, now: datetime) -> Row | None:
    statement = select(*API_KEY).where(ApiKey.id == key_id, ApiKey.user_id == user_id, *_live(now))
    return (await connection.execute(statement)).one_or_none()


async def is_replaced(connection: AsyncConnection, key_id: UUID) -> bool:
    """Whether it was ever rotated: its expiry then is the overlap's end, no more what its owner chose."""
    return (await connection.execute(select(exists().where(ApiKey.replaces_id == key_id)))).scalar_one()


async def end_at(connection: AsyncConnection, *, key_id: UUID, at: datetime) -> None:
    """Brings the expiry forward, never back."""
    later = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > at)
    await connection.execute(update(ApiKey).where(ApiKey.id == key_id, later).values(expires_at=at))


async def revoke(connection: AsyncConnection, key_id: UUID, *, now: datetime) -> None:
    """The first revocation's time stays."""
    first = func.coalesce(ApiKey.revoked_at, bindparam("revoked", now, ApiKey.revoked_at.type))
    await connection.execute(update(ApiKey).where(ApiKey.id == key_id).values(revoked_at=first))


async def revoke_all(connection: AsyncConnection, user_id: UUID, *, now: datetime) -> None:
    await connection.execute(
        update(ApiKey).where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None)).values(revoked_at=now)
    )


async def mark_used(connection: AsyncConnection, used: Mapping[UUID, datetime]) -> None:
    """Many at once, as the requests left them; never moves a mark back."""
    statement = (
        update(ApiKey)
        .where(
            ApiKey.id == bindparam("key_id"),
            or_(
                ApiKey.last_used_at.is_(None),
                ApiKey.last_used_at < bindparam("at", type_=ApiKey.last_used_at.type),
            ),
        )
        .values(last_used_at=bindparam("at", type_=ApiKey.last_used_at.type))
    )
    await connection.execute(statement, [{"key_id": key_id, "at": at} for key_id, at in sorted(used.items())])


def _live(now: datetime) -> tuple[Any, ...]:
    return ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)
