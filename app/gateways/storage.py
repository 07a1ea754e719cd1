"""Where the files of packages are kept: a local folder, or a bucket that speaks S3."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from app.ports import ObjectStore, StorageError

if TYPE_CHECKING:  # obstore has the name for type checkers alone
    from obstore.store import S3Config

READ_CHUNK = 256 * 1024
PART_BYTES = 5 * 1024 * 1024  # the least that S3 takes as a part, and so the memory of one write, twice
PARTS_AT_ONCE = 2


def open_store(storage_url: str) -> ObjectStore:
    """``file:///folder``, a plain path, or ``s3://bucket/prefix?endpoint=http://…&region=…``.

    S3's credentials come from the usual AWS_ variables. Raises ValueError for a place that cannot be used.
    """
    parts = urlsplit(storage_url)
    if parts.scheme == "s3":
        return _Store(_bucket(parts.netloc, parts.path, parse_qs(parts.query)))
    if parts.scheme not in ("", "file"):
        raise ValueError(f"STORAGE_URL: '{parts.scheme}' is not supported: use file:///… or s3://…")
    return _Store(_folder(Path(unquote(parts.path) if parts.scheme else storage_url)))


def _bucket(bucket: str, prefix: str, options: dict[str, list[str]]) -> S3Store:
    unknown = sorted(options.keys() - {"endpoint", "region"})
    if unknown or not bucket:
        raise ValueError("STORAGE_URL: write s3://bucket/prefix?endpoint=http://…&region=…")
    given: S3Config = {}
    if "endpoint" in options:
        given["endpoint"] = options["endpoint"][-1]
    if "region" in options:
        given["region"] = options["region"][-1]
    try:
        return S3Store(
            bucket,
            prefix=prefix.strip("/") or None,
            config=given,
            client_options={"allow_http": True, "connect_timeout": "5s"},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
        )
    except BaseError as error:
        raise ValueError(f"STORAGE_URL: {_first_line(error)}") from error


def _folder(folder: Path) -> LocalStore:
    try:
        return LocalStore(folder.absolute(), mkdir=True)
    except (BaseError, OSError) as error:
        raise ValueError(f"STORAGE_URL: {_first_line(error)}") from error


class _Store:
    """An ObjectStore of obstore's; what is put appears as a whole or not at all."""

    def __init__(self, store: LocalStore | S3Store) -> None:
        self._store = store

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """What ``chunks`` raises is raised on, and then nothing is kept."""
        with _translated(key):
            writer = obstore.open_writer_async(
                self._store, key, buffer_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
            )
        try:
            async for chunk in chunks:
                with _translated(key):
                    await writer.write(chunk)
        except BaseException as error:
            with suppress(BaseError, OSError):  # the first failure is what the caller has to hear of
                await writer.__aexit__(type(error), error, error.__traceback__)
            raise
        with _translated(key):
            await writer.close()

    async def get(self, key: str, *, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes [start, end) in chunks of about 256 KiB."""
        if start >= end:
            return
        with _translated(key):
            found = await obstore.get_async(self._store, key, options={"range": (start, end)})
            async for chunk in found.stream(min_chunk_size=READ_CHUNK):
                yield bytes(chunk)

    async def delete(self, key: str) -> None:
        """Deleting what is not there is no error."""
        with _translated(key), suppress(FileNotFoundError):
            await obstore.delete_async(self._store, key)

    async def delete_below(self, folder: str) -> None:
        with _translated(folder):
            found = await obstore.list(self._store, prefix=f"{folder}/").collect_async()
        for each in found:
            await self.delete(each["path"])

    async def check(self) -> None:
        key = f"checks/{uuid4().hex}"
        with _translated(key):
            await obstore.put_async(self._store, key, b"revgraph")
            await obstore.delete_async(self._store, key)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """obstore also raises built-in errors: for missing objects, unfit paths and full disks."""
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise StorageError(f"{what}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    """What obstore says below it is a dump of its structures."""
    return (str(error).splitlines() or [type(error).__name__])[0]
