"""Leases of the provider's objects: taken where free or expired, ended by their holder."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import ObjectLease


async def take(
    connection: AsyncConnection, *, object_id: str, token: UUID, now: datetime, expires_at: datetime
) -> bool:
    dialect_insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = (
        dialect_insert(ObjectLease)
        .values(object_id=object_id, token=token, expires_at=expires_at)
        .on_conflict_do_update(
            index_elements=[ObjectLease.object_id],
            set_={"token": token, "expires_at": expires_at},
            where=ObjectLease.expires_at <= now,
        )
        .returning(ObjectLease.token)
    )
    return (await connection.execute(statement)).scalar_one_or_none() is not None


async def extend(connection: AsyncConnection, *, object_id: str, token: UUID, expires_at: datetime) -> bool:
    """Whether the lease was still this holder's."""
    statement = (
        update(ObjectLease)
        .where(ObjectLease.object_id == object_id, ObjectLease.token == token)
        .values(expires_at=expires_at)
    )
    return (await connection.execute(statement)).rowcount == 1


async def end(connection: AsyncConnection, *, object_id: str, token: UUID) -> bool:
    """Whether the lease was still this holder's."""
    statement = delete(ObjectLease).where(ObjectLease.object_id == object_id, ObjectLease.token == token)
    return (await connection.execute(statement)).rowcount == 1
