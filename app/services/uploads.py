"""Uploads: announced within the author's storage, received as a stream, expired when not taken."""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from app.db.database import Database
from app.db.ids import new_id
from app.db.repositories import reservations, uploads
from app.domain import publishing
from app.domain.errors import InvalidInput, InvalidToken
from app.domain.plans import Resource
from app.domain.viewer import Allowance
from app.ports import ObjectStore, StorageError, Tokens

SENDING_TIME = timedelta(hours=1)
"""How long the link works."""
KEPT_TIME = timedelta(hours=24)
"""How long a received file waits for a version that takes it."""


class TooManyBytes(InvalidInput):
    """More came than was announced, or more was announced than a file may have."""


@dataclass(frozen=True)
class Announced:
    """``token`` is the secret part of the link: shown once, good for one file."""

    id: UUID
    token: str
    expires_at: datetime


@dataclass(frozen=True)
class Received:
    id: UUID
    size_bytes: int
    sha256: str


async def announce(
    *,
    database: Database,
    tokens: Tokens,
    allowance: Allowance,
    filename: str,
    size_bytes: int,
    media_type: str,
    sha256: str | None,
    max_bytes: int,
    now: datetime,
) -> Announced:
    """Reserves the bytes and gives a link to send them to. Raises InvalidInput, QuotaExceeded."""
    announced = Announced(id=new_id(), token=tokens.new_secret(), expires_at=now + SENDING_TIME)
    values = {
        "id": announced.id,
        "user_id": allowance.user_id,
        "filename": publishing.file_name(filename),
        "media_type": publishing.media_type(media_type),
        "size_bytes": _size(size_bytes, max_bytes=max_bytes),
        "expected_sha256": publishing.sha256(sha256) if sha256 is not None else None,
        "token_hash": tokens.digest(announced.token),
        "storage_key": f"uploads/{announced.id.hex}",
        "created_at": now,
        "expires_at": announced.expires_at,
    }
    async with database.transaction() as connection:
        reservation_id = await reservations.reserve(
            connection,
            allowance,
            Resource.STORAGE_BYTES,
            size_bytes,
            expires_at=announced.expires_at,
            now=now,
        )
        await uploads.announce(connection, values={**values, "reservation_id": reservation_id})
    return announced


def _size(size_bytes: int, *, max_bytes: int) -> int:
    if size_bytes > max_bytes:
        raise TooManyBytes(
            "sizeBytes", f"A file has at most {max_bytes:,} bytes: this one has {size_bytes:,}."
        )
    if size_bytes < 1:
        raise InvalidInput("sizeBytes", "A file has at least 1 byte.")
    return size_bytes


async def receive(
    *,
    database: Database,
    store: ObjectStore,
    tokens: Tokens,
    token: str,
    stated_bytes: int | None,
    chunks: AsyncIterator[bytes],
    clock: Callable[[], datetime],
) -> Received:
    """Streams the file into the store; whatever goes wrong on the way keeps nothing and may be tried again.

    ``stated_bytes`` is what the request says it will send, if it does. Raises InvalidToken,
    TooManyBytes, InvalidInput (too few bytes, other bytes), StorageError, and whatever ``chunks`` raises.
    """
    async with database.read() as connection:
        upload = await uploads.by_token(connection, token_hashes=tokens.digests(token))
    if upload is None or upload.expires_at <= clock():
        raise InvalidToken("This upload link is unknown or has expired: call createUpload again.")
    if upload.state != "announced":
        raise _received_before()
    if stated_bytes is not None:
        _check_size(stated_bytes, upload)
    # Two requests with one link write two objects, so that the second cannot spoil what the first received.
    key = f"{upload.storage_key}/{new_id().hex}"
    measured = _Measured(chunks, upload)
    await store.put(key, measured.checked())
    if not await _mark_received(database, upload, sha256=measured.sha256, key=key, now=clock()):
        await store.delete(key)
        raise _received_before()
    return Received(id=upload.id, size_bytes=upload.size_bytes, sha256=measured.sha256)


def _received_before() -> InvalidToken:
    return InvalidToken("This upload link was used already: call createUpload for another file.")


def _check_size(size_bytes: int, upload: Row[Any]) -> None:
    if size_bytes > upload.size_bytes:
        raise TooManyBytes("sizeBytes", f"Only {upload.size_bytes:,} bytes were announced: more were sent.")
    if size_bytes < upload.size_bytes:
        raise InvalidInput(
            "sizeBytes", f"{upload.size_bytes:,} bytes were announced, but only {size_bytes:,} were sent."
        )


class _Measured:
    """Passes the file on while counting and hashing it; raises before the last byte makes it a file."""

    def __init__(self, chunks: AsyncIterator[bytes], upload: Row[Any]) -> None:
        self._chunks, self._upload = chunks, upload
        self._size, self._digest = 0, hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    async def checked(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            self._size += len(chunk)
            if self._size > self._upload.size_bytes:
                break
            self._digest.update(chunk)
            yield chunk
        _check_size(self._size, self._upload)
        if self._upload.expected_sha256 not in (None, self.sha256):
            raise InvalidInput(
                "sha256", f"The file has the SHA-256 {self.sha256}, another one was announced."
            )


async def _mark_received(
    database: Database, upload: Row[Any], *, sha256: str, key: str, now: datetime
) -> bool:
    expires_at = now + KEPT_TIME
    async with database.transaction() as connection:
        if not await reservations.extend(connection, upload.reservation_id, expires_at=expires_at):
            return False
        return await uploads.receive(
            connection, upload.id, sha256=sha256, storage_key=key, expires_at=expires_at
        )


async def expire(*, database: Database, store: ObjectStore, now: datetime, limit: int = 100) -> int:
    """Forgets uploads that no version took in time and gives their bytes back; returns how many.

    The object goes first: a row without its object is found again, an object without its row never.
    """
    async with database.read() as connection:
        found = await uploads.expired(connection, limit=limit, now=now)
    forgotten = 0
    for upload in found:
        try:
            await store.delete(upload.storage_key)
        except StorageError:
            continue
        forgotten += await _forget(database, upload)
    return forgotten


async def _forget(database: Database, upload: Row[Any]) -> bool:
    async with database.transaction() as connection:
        forgotten = await uploads.forget(connection, upload.id)
        if forgotten:
            await reservations.release(connection, upload.reservation_id)
    return forgotten
