import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.db.database import Database
from app.db.models import Upload, UsageCounter
from app.db.repositories import reservations
from app.db.repositories import uploads as repository
from app.domain.errors import InvalidInput, InvalidToken, QuotaExceeded
from app.domain.plans import Resource
from app.domain.viewer import Allowance
from app.gateways.keyring import Keyring
from app.gateways.storage import open_store
from app.gateways.tokens import KeyedTokens
from app.ports import ObjectStore, StorageError
from app.services import uploads
from tests.support.factories import NOW, make_user

CONTENT = b"a file of 20 bytes.."
LIMIT = 100


@pytest.fixture
def tokens() -> KeyedTokens:
    return KeyedTokens(Keyring(["a secret of the tests that is long enough"]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> ObjectStore:
    return open_store(str(folder))


@pytest.fixture
async def allowance(database: Database) -> Allowance:
    """A plan with 100 bytes of storage."""
    user = await make_user(database, role="author")
    limits = {resource: LIMIT if resource is Resource.STORAGE_BYTES else None for resource in Resource}
    return Allowance(user_id=user.id, limits=limits, anchor_at=NOW)


class Fixture:
    def __init__(
        self, database: Database, store: ObjectStore, tokens: KeyedTokens, allowance: Allowance
    ) -> None:
        self.database, self.store, self.tokens, self.allowance = database, store, tokens, allowance

    async def announce(
        self, *, size: int = len(CONTENT), now: datetime = NOW, **given: Any
    ) -> uploads.Announced:
        values = {"filename": "a.txt", "media_type": "text/plain", "sha256": None, "max_bytes": 50, **given}
        return await uploads.announce(
            database=self.database,
            tokens=self.tokens,
            allowance=self.allowance,
            size_bytes=size,
            now=now,
            **values,
        )

    async def receive(
        self, token: str, *pieces: bytes | BaseException, stated: int | None = None, now: datetime = NOW
    ) -> uploads.Received:
        async def chunks() -> AsyncIterator[bytes]:
            for piece in pieces:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece

        return await uploads.receive(
            database=self.database,
            store=self.store,
            tokens=self.tokens,
            token=token,
            stated_bytes=stated,
            chunks=chunks(),
            clock=lambda: now,
        )

    async def rows(self) -> list[Any]:
        async with self.database.read() as connection:
            return list((await connection.execute(select(Upload.__table__).order_by(Upload.id))).all())

    async def counter(self) -> tuple[int, int]:
        """(used, reserved) bytes."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(UsageCounter.used, UsageCounter.reserved))).one_or_none()
        return (row.used, row.reserved) if row else (0, 0)


@pytest.fixture
def world(database: Database, store: ObjectStore, tokens: KeyedTokens, allowance: Allowance) -> Fixture:
    return Fixture(database, store, tokens, allowance)


def break_store(folder: Path) -> None:
    folder.rename(folder.with_name("away"))
    folder.touch()


def mend_store(folder: Path) -> None:
    folder.unlink()
    folder.with_name("away").rename(folder)


def kept(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_announcing_reserves_the_bytes_and_keeps_no_secret(world: Fixture, folder: Path) -> None:
    announced = await world.announce(media_type="Text/Plain", sha256="AB" * 32)
    (row,) = await world.rows()
    assert row.id == announced.id
    assert (row.state, row.sha256, row.size_bytes, row.media_type) == ("announced", None, 20, "text/plain")
    assert row.expected_sha256 == "ab" * 32
    assert row.token_hash == world.tokens.digest(announced.token)
    assert announced.token not in str(tuple(row))
    assert announced.expires_at == row.expires_at == NOW + timedelta(hours=1)
    assert await world.counter() == (0, 20)
    assert kept(folder) == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"size": 0}, "sizeBytes"),
        ({"size": -1}, "sizeBytes"),
        ({"size": 51}, "sizeBytes"),
        ({"filename": ""}, "filename"),
        ({"filename": "../a"}, "filename"),
        ({"filename": "a/b"}, "filename"),
        ({"filename": "a\\b"}, "filename"),
        ({"filename": "a\x00b"}, "filename"),
        ({"filename": "x" * 256}, "filename"),
        ({"media_type": "text"}, "mediaType"),
        ({"media_type": "text/html; charset=utf-8"}, "mediaType"),
        ({"media_type": "text/html\r\nx-evil: 1"}, "mediaType"),
        ({"sha256": "ab"}, "sha256"),
        ({"sha256": "zz" * 32}, "sha256"),
    ],
)
async def test_unfit_announcements_write_nothing(world: Fixture, given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await world.announce(**given)
    assert refused.value.field == field
    assert await world.rows() == []
    assert await world.counter() == (0, 0)


async def test_the_plan_limits_what_is_announced(world: Fixture) -> None:
    await world.announce(size=50)
    await world.announce(size=45)
    with pytest.raises(QuotaExceeded) as refused:
        await world.announce(size=6)
    assert refused.value.facts() == {
        "resource": "STORAGE_BYTES",
        "used": 95,
        "limit": 100,
        "resetsAt": None,
    }
    assert len(await world.rows()) == 2
    assert await world.counter() == (0, 95)
    await world.announce(size=5)
    assert await world.counter() == (0, 100)


async def test_concurrent_announcements_share_the_allowance_exactly(world: Fixture) -> None:
    results = await asyncio.gather(*(world.announce(size=30) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(result, uploads.Announced) for result in results) == 3
    assert sum(isinstance(result, QuotaExceeded) for result in results) == 5
    assert await world.counter() == (0, 90)


async def test_what_is_received_is_hashed_and_waits_for_a_day(world: Fixture, folder: Path) -> None:
    announced = await world.announce(sha256=sha256(CONTENT).hexdigest())
    received = await world.receive(announced.token, CONTENT[:7], b"", CONTENT[7:], stated=20)
    assert received == uploads.Received(announced.id, 20, sha256(CONTENT).hexdigest())
    (row,) = await world.rows()
    assert (row.state, row.sha256) == ("received", sha256(CONTENT).hexdigest())
    assert row.expires_at == NOW + timedelta(hours=24)
    assert row.storage_key.startswith(f"uploads/{announced.id.hex}/")
    assert (folder / row.storage_key).read_bytes() == CONTENT
    assert await world.counter() == (0, 20)


@pytest.mark.parametrize(
    ("pieces", "stated", "error", "field"),
    [
        ((CONTENT, b"x"), None, uploads.TooManyBytes, "sizeBytes"),
        ((CONTENT,), 21, uploads.TooManyBytes, "sizeBytes"),
        ((CONTENT[:19],), None, InvalidInput, "sizeBytes"),
        ((), None, InvalidInput, "sizeBytes"),
        ((CONTENT,), 19, InvalidInput, "sizeBytes"),
        ((CONTENT[:19], b"?"), 20, InvalidInput, "sha256"),
    ],
)
async def test_other_bytes_than_announced_are_not_kept_and_may_be_sent_again(
    world: Fixture, folder: Path, pieces: tuple[bytes, ...], stated: int | None, error: Any, field: str
) -> None:
    announced = await world.announce(sha256=sha256(CONTENT).hexdigest())
    with pytest.raises(error) as refused:
        await world.receive(announced.token, *pieces, stated=stated)
    assert refused.value.field == field
    assert type(refused.value) is error
    assert kept(folder) == []
    assert [row.state for row in await world.rows()] == ["announced"]
    await world.receive(announced.token, CONTENT, stated=20)
    assert kept(folder) == [CONTENT]


async def test_a_client_that_goes_away_leaves_nothing_and_may_come_back(world: Fixture, folder: Path) -> None:
    announced = await world.announce()
    with pytest.raises(ConnectionResetError):
        await world.receive(announced.token, CONTENT[:10], ConnectionResetError())
    assert kept(folder) == []
    assert [row.state for row in await world.rows()] == ["announced"]
    await world.receive(announced.token, CONTENT)
    assert kept(folder) == [CONTENT]


async def test_a_link_is_good_for_one_file(world: Fixture, folder: Path) -> None:
    announced = await world.announce()
    await world.receive(announced.token, CONTENT)
    with pytest.raises(InvalidToken):
        await world.receive(announced.token, CONTENT[::-1])
    assert kept(folder) == [CONTENT]


async def test_of_two_at_once_one_is_kept(world: Fixture, folder: Path) -> None:
    announced = await world.announce()
    contents = [CONTENT, CONTENT[::-1]]
    results = await asyncio.gather(
        *(world.receive(announced.token, content) for content in contents), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["InvalidToken", "Received"]
    (row,) = await world.rows()
    (content,) = kept(folder)
    assert row.sha256 == sha256(content).hexdigest()
    assert await world.counter() == (0, 20)


@pytest.mark.parametrize("after", [timedelta(hours=1), timedelta(days=3)])
async def test_a_link_ends_after_an_hour(world: Fixture, folder: Path, after: timedelta) -> None:
    announced = await world.announce()
    with pytest.raises(InvalidToken):
        await world.receive(announced.token, CONTENT, now=NOW + after)
    assert kept(folder) == []
    await world.receive(announced.token, CONTENT, now=NOW + timedelta(minutes=59))
    assert kept(folder) == [CONTENT]


@pytest.mark.parametrize("token", ["", "unknown", "x" * 100_000, "' OR 1=1 --", "ünï"])
async def test_unknown_links(world: Fixture, folder: Path, token: str) -> None:
    await world.announce()
    with pytest.raises(InvalidToken):
        await world.receive(token, CONTENT)
    assert kept(folder) == []


async def test_bytes_that_were_given_back_meanwhile_are_not_received(world: Fixture, folder: Path) -> None:
    announced = await world.announce()
    async with world.database.transaction() as connection:
        assert await reservations.expire(connection, now=NOW + timedelta(hours=2)) == 1
    with pytest.raises(InvalidToken):
        await world.receive(announced.token, CONTENT)
    assert kept(folder) == []
    assert [row.state for row in await world.rows()] == ["announced"]
    assert await world.counter() == (0, 0)


async def test_a_store_that_fails_is_told_and_may_be_tried_again(world: Fixture, folder: Path) -> None:
    announced = await world.announce()
    break_store(folder)
    with pytest.raises(StorageError):
        await world.receive(announced.token, CONTENT)
    assert [row.state for row in await world.rows()] == ["announced"]
    mend_store(folder)
    await world.receive(announced.token, CONTENT)
    assert kept(folder) == [CONTENT]


async def test_what_no_version_took_expires(world: Fixture, folder: Path) -> None:
    received = await world.announce()
    await world.receive(received.token, CONTENT)
    await world.announce(size=30)
    fresh = await world.announce(size=40, now=NOW + timedelta(hours=23, minutes=30))

    async def expire(now: datetime) -> int:
        return await uploads.expire(database=world.database, store=world.store, now=now)

    assert await expire(NOW + timedelta(minutes=59)) == 0
    assert await expire(NOW + timedelta(hours=2)) == 1
    assert kept(folder) == [CONTENT]
    assert await world.counter() == (0, 60)
    assert await expire(NOW + timedelta(hours=24)) == 1
    assert kept(folder) == []
    assert [row.id for row in await world.rows()] == [fresh.id]
    assert await world.counter() == (0, 40)
    assert await expire(NOW + timedelta(hours=24)) == 0


async def test_what_a_version_took_never_expires(world: Fixture, folder: Path) -> None:
    announced = await world.announce()
    await world.receive(announced.token, CONTENT)
    async with world.database.transaction() as connection:
        taken = await repository.take(
            connection, upload_ids=[announced.id], user_id=world.allowance.user_id, now=NOW
        )
        await reservations.commit(connection, taken[announced.id].reservation_id, now=NOW)
    assert await uploads.expire(database=world.database, store=world.store, now=NOW + timedelta(days=9)) == 0
    assert kept(folder) == [CONTENT]
    assert await world.counter() == (20, 0)


async def test_an_object_that_cannot_be_deleted_is_tried_again(world: Fixture, folder: Path) -> None:
    announced = await world.announce()
    await world.receive(announced.token, CONTENT)
    later = NOW + timedelta(days=2)
    break_store(folder)
    assert await uploads.expire(database=world.database, store=world.store, now=later) == 0
    assert len(await world.rows()) == 1
    mend_store(folder)
    assert await uploads.expire(database=world.database, store=world.store, now=later) == 1
    assert await world.rows() == []
    assert kept(folder) == []
    assert await world.counter() == (0, 0)


async def test_the_database_keeps_an_upload_consistent(world: Fixture) -> None:
    """Rows that no code writes are refused by the tables themselves."""
    await world.announce(sha256="ab" * 32)
    (row,) = await world.rows()
    for change in ({"state": "received"}, {"state": "received", "sha256": "cd" * 32}, {"size_bytes": 0}):
        with pytest.raises(IntegrityError):
            async with world.database.transaction() as connection:
                await connection.execute(update(Upload).values(**change))
    assert await world.rows() == [row]
