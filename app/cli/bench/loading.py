"""How do millions of rows get into a database quickly? Past the program: bulk inserts, or COPY."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Protocol
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]  # it carries no types
from sqlalchemy import URL
from sqlalchemy.schema import CreateIndex

from app.cli.bench.plan import Rows, columns_of
from app.db.models import Base

BATCH = 25_000
Batch = list[tuple[Any, ...]]
Done = Callable[[int], None]


class Loader(Protocol):
    async def insert(self, table: str, columns: list[str], rows: Batch) -> None: ...
    async def run(self, statement: str) -> None: ...
    async def close(self) -> None: ...


async def open_loader(url: URL) -> Loader:
    if url.get_backend_name() == "sqlite":
        return _Sqlite(str(url.database))
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connect: Callable[[str], Awaitable[Any]] = asyncpg.connect
    return _Postgresql(await connect(dsn))


async def load(loader: Loader, model: type[Base], columns: str, rows: Rows, *, done: Done) -> int:
    """Batch by batch, so that memory stays bounded; how many rows there were."""
    names, number = columns_of(model, columns), 0
    while batch := list(islice(rows, BATCH)):
        await loader.insert(model.__tablename__, names, batch)
        number += len(batch)
        done(number)
    return number


async def without_indexes(loader: Loader, url: URL, model: type[Base], load_it: Callable[[], Any]) -> Any:
    """Sorting once at the end is several times faster than keeping a large index in order."""
    dialect = url.get_dialect()()
    indexes = sorted(model.__table__.indexes, key=lambda index: str(index.name))  # type: ignore[attr-defined]  # a Table has them
    for index in indexes:
        await loader.run(f"DROP INDEX {index.name}")
    result = await load_it()
    for index in indexes:
        await loader.run(str(CreateIndex(index).compile(dialect=dialect)))
    return result


class _Sqlite:
    """Without a journal: a load that is broken off leaves a file to throw away."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-200000"):
            self._connection.execute(f"PRAGMA {pragma}")

    async def insert(self, table: str, columns: list[str], rows: Batch) -> None:
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names of our models
        await asyncio.to_thread(self._insert, statement, rows)

    def _insert(self, statement: str, rows: Batch) -> None:
        self._connection.execute("BEGIN")
        try:
            self._connection.executemany(statement, _as_sqlite_keeps(rows))
        finally:  # without a journal nothing can be taken back
            self._connection.execute("COMMIT")

    async def run(self, statement: str) -> None:
        await asyncio.to_thread(self._connection.execute, statement)

    async def close(self) -> None:
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.close()


def _as_sqlite_keeps(rows: Batch) -> Iterator[tuple[Any, ...]]:
    """As the models' column types write them; a moment often stands in a row twice, and is written once."""
    shortened: dict[Any, Any] = {}
    for row in rows:
        yield tuple([_value(each, shortened) for each in row])
        if len(shortened) > BATCH:
            shortened.clear()


def _value(value: Any, known: dict[Any, Any]) -> Any:
    kind = type(value)
    if kind is datetime:
        text = known.get(value)
        if text is None:
            text = known[value] = value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
        return text
    if kind is UUID:
        return value.hex
    if kind is list or kind is dict:
        return json.dumps(value)
    return value


class _Postgresql:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def insert(self, table: str, columns: list[str], rows: Batch) -> None:
        records = ([json.dumps(each) if type(each) in (list, dict) else each for each in row] for row in rows)
        await self._connection.copy_records_to_table(table, records=records, columns=columns)

    async def run(self, statement: str) -> None:
        await self._connection.execute(statement)

    async def close(self) -> None:
        await self._connection.close()
