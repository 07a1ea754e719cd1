"""Uploads: announced, received, taken by a version, or expired."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import Upload

UPLOAD: tuple[Any, ...] = (
    Upload.id,
    Upload.user_id,
    Upload.filename,
    Upload.media_type,
    Upload.size_bytes,
    Upload.expected_sha256,
    Upload.sha256,
    Upload.storage_key,
    Upload.state,
    Upload.reservation_id,
    Upload.expires_at,
)


async def announce(connection: AsyncConnection, *, values: dict[str, Any]) -> None:
    await connection.execute(insert(Upload).values(state="announced", sha256=None, **values))


async def by_token(connection: AsyncConnection, *, token_hashes: list[str]) -> Row[Any] | None:
    statement = select(*UPLOAD).where(Upload.token_hash.in_(token_hashes))
    return (await connection.execute(statement)).one_or_none()


async def receive(
    connection: AsyncConnection, upload_id: UUID, *, sha256: str, storage_key: str, expires_at: datetime
) -> bool:
    """Once: False when another request has done it, or when the upload is gone."""
    statement = update(Upload).where(Upload.id == upload_id, Upload.state == "announced")
    values = {"state": "received", "sha256": sha256, "storage_key": storage_key, "expires_at": expires_at}
    return (await connection.execute(statement.values(**values))).rowcount == 1


async def take(
    connection: AsyncConnection, *, upload_ids: Sequence[UUID], user_id: UUID, now: datetime
) -> dict[UUID, Row[Any]]:
    """Those of the account's that were received and not taken before, by id."""
    statement = (
        update(Upload)
        .where(
            Upload.id.in_(upload_ids),
            Upload.user_id == user_id,
            Upload.state == "received",
            Upload.expires_at > now,
        )
        .values(state="taken")
        .returning(*UPLOAD)
    )
    return {row.id: row for row in (await connection.execute(statement)).all()}


async def expired(connection: AsyncConnection, *, limit: int, now: datetime) -> list[Row[Any]]:
    """The oldest of those that no version took in time."""
    statement = select(*UPLOAD).where(*_expired(now)).order_by(Upload.expires_at).limit(limit)
    return list((await connection.execute(statement)).all())


async def lock_expired(connection: AsyncConnection, upload_id: UUID, *, now: datetime) -> bool:
    """Whether it is still expired; nobody receives or takes it until the transaction ends."""
    statement = select(Upload.id).where(Upload.id == upload_id, *_expired(now)).with_for_update()
    return (await connection.execute(statement)).scalar_one_or_none() is not None


async def forget(connection: AsyncConnection, upload_id: UUID, *, now: datetime) -> bool:
    """False for one that is not expired, or gone."""
    statement = delete(Upload).where(Upload.id == upload_id, *_expired(now))
    return (await connection.execute(statement)).rowcount == 1


def _expired(now: datetime) -> tuple[Any, ...]:
    return Upload.state != "taken", Upload.expires_at <= now
