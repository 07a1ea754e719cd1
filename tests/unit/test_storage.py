import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.gateways.storage import open_store
from app.ports import ObjectStore, StorageError
from tests.support.servers.s3 import S3Server


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    if request.param == "folder":
        return open_store((tmp_path / "kept here").as_uri())
    server: S3Server = request.getfixturevalue("s3_server")
    bucket = server.create_bucket(f"storage-{request.getfixturevalue('worker_id')}").rpartition("/")[2]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_access_key)
    return open_store(f"s3://{bucket}/some/prefix?endpoint={server.endpoint}&region={server.region}")


async def pieces(*given: bytes | BaseException) -> AsyncIterator[bytes]:
    for piece in given:
        if isinstance(piece, BaseException):
            raise piece
        yield piece


async def read(store: ObjectStore, key: str, start: int = 0, end: int = 100) -> bytes:
    return b"".join([chunk async for chunk in store.get(key, start=start, end=end)])


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_what_is_put_is_got_whole_and_in_ranges(store: ObjectStore) -> None:
    await store.put("a/b/file", pieces(b"hello ", b"", b"world"))
    assert await read(store, "a/b/file", 0, 11) == b"hello world"
    assert await read(store, "a/b/file", 4, 8) == b"o wo"
    assert await read(store, "a/b/file", 4, 4) == b""


async def test_a_folder_is_deleted_and_no_neighbour(store: ObjectStore) -> None:
    for key in ("a/b/1", "a/b/c/2", "a/bc", "a/b2/3"):
        await store.put(key, pieces(b"x"))
    await store.delete_below("a/b")
    await store.delete_below("not/there")
    assert [await read(store, key) for key in ("a/bc", "a/b2/3")] == [b"x", b"x"]
    for key in ("a/b/1", "a/b/c/2"):
        with pytest.raises(StorageError):
            await read(store, key)


async def test_nothing_is_a_file_too(store: ObjectStore) -> None:
    await store.put("empty", pieces())
    assert await read(store, "empty", 0, 0) == b""


async def test_large_files_go_in_parts_and_come_in_chunks(store: ObjectStore) -> None:
    content = b"".join(bytes([number]) * 1_000_000 for number in range(12))
    await store.put("large", pieces(*(content[at : at + 70_000] for at in range(0, len(content), 70_000))))
    chunks = [chunk async for chunk in store.get("large", start=1, end=len(content))]
    assert b"".join(chunks) == content[1:]
    assert len(chunks) > 10
    assert {type(chunk) for chunk in chunks} == {bytes}


async def test_a_long_stream_does_not_fill_the_memory(tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1_000_000

    tracemalloc.start()
    await open_store(str(tmp_path)).put("large", endless())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "large").stat().st_size == 100_000_000
    assert peak < 20_000_000


@pytest.mark.parametrize("before", [10, 12_000_000])
async def test_a_stream_that_breaks_leaves_nothing(store: ObjectStore, before: int, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the client went away"):
        await store.put("broken", pieces(b"x" * before, RuntimeError("the client went away")))
    with pytest.raises(StorageError):
        await read(store, "broken")
    assert files_below(tmp_path) == []


async def test_a_cancelled_put_leaves_nothing(store: ObjectStore, tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield b"x" * 12_000_000
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(store.put("cancelled", stuck()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(StorageError):
        await read(store, "cancelled")
    assert files_below(tmp_path) == []


async def test_a_broken_put_keeps_what_was_there(store: ObjectStore) -> None:
    await store.put("key", pieces(b"first"))
    with pytest.raises(RuntimeError):
        await store.put("key", pieces(b"second", RuntimeError()))
    assert await read(store, "key", 0, 5) == b"first"


async def test_deleting_is_final_and_may_be_repeated(store: ObjectStore) -> None:
    await store.put("key", pieces(b"content"))
    await store.delete("key")
    await store.delete("key")
    with pytest.raises(StorageError):
        await read(store, "key")


async def test_a_key_cannot_leave_the_store(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        await store.put("../outside", pieces(b"content"))
    assert not (tmp_path / "outside").exists()


async def test_a_good_store_passes_and_is_left_as_it_was(store: ObjectStore, tmp_path: Path) -> None:
    await store.check()
    assert files_below(tmp_path) == []


async def test_an_unreachable_store_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with pytest.raises(StorageError):
        await open_store("s3://bucket?endpoint=http://127.0.0.1:1&region=eu-west-1").check()


async def test_wrong_credentials_are_told(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3_server.create_bucket("storage-refused").rpartition("/")[2]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody else")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with pytest.raises(StorageError):
        await open_store(f"s3://{bucket}?endpoint={s3_server.endpoint}").check()


@pytest.mark.parametrize("url", ["ftp://host/folder", "s3://", "s3://bucket?endpont=http://x", "https://x/y"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="STORAGE_URL"):
        open_store(url)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="STORAGE_URL"):
        open_store(str(tmp_path / "file" / "folder"))
