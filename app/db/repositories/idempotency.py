"""Idempotency keys: the first request with a key does the work, the others get its result."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import IdempotencyKey
from app.db.rows import Row
from app.domain.errors import IdempotencyMismatch


async def claim(
    connection: AsyncConnection,
    *,
    user_id: UUID,
    operation: str,
    key: str,
    request_hash: str,
    result_id: UUID,
    now: datetime,
) -> UUID | None:
    """None: the work is the caller's, whose result will be ``result_id``. Else the first request's result.

    A request at the same time waits here until the first one's transaction ends, and takes the work over when
    that one rolled back. Raises IdempotencyMismatch where the key came with other input.
    """
    dialect_insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = (
        dialect_insert(IdempotencyKey)
        .values(
            id=new_id(),
            user_id=user_id,
            operation=operation,
            key=key,
            request_hash=request_hash,
            result_id=result_id,
            created_at=now,
        )
        .on_conflict_do_nothing(
            index_elements=[IdempotencyKey.user_id, IdempotencyKey.operation, IdempotencyKey.key]
        )
        .returning(IdempotencyKey.id)
    )
    while (await connection.execute(statement)).scalar_one_or_none() is None:
        first = await _first(connection, user_id, operation, key)
        if first is None:  # too old, and forgotten between the two statements
            continue
        if first.request_hash != request_hash:
            raise IdempotencyMismatch
        earlier: UUID = first.result_id
        return earlier
    return None


async def point_at(
    connection: AsyncConnection, *, user_id: UUID, operation: str, key: str, result_id: UUID
) -> None:
    """The work under a claimed key was begun by an earlier request: its result is that one's."""
    await connection.execute(
        update(IdempotencyKey)
        .where(
            IdempotencyKey.user_id == user_id,
            IdempotencyKey.operation == operation,
            IdempotencyKey.key == key,
        )
        .values(result_id=result_id)
    )


async def _first(connection: AsyncConnection, user_id: UUID, operation: str, key: str) -> Row | None:
    statement = select(IdempotencyKey.request_hash, IdempotencyKey.result_id).where(
        IdempotencyKey.user_id == user_id, IdempotencyKey.operation == operation, IdempotencyKey.key == key
    )
    return (await connection.execute(statement)).one_or_none()
