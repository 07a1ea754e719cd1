"""How the program reaches its database: ``rows()`` and ``read()`` ask, ``transaction()`` decides.

``rows()`` asks a declared `Query`, at the driver's price. The others yield a SQLAlchemy Core connection;
rows, not entities. ``transaction()`` commits when the block ends, rolls back when it raises.

SQLite: WAL, so that readers never wait; writers take BEGIN IMMEDIATE from a pool of one connection, which
makes the pool the queue. Without it SQLite's busy handler sleeps and retries, and unlucky writers starve.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.db.reads import Prepared, Query
from app.db.reads.postgresql import PostgresReads
from app.db.reads.queries import Rows
from app.db.reads.sqlite import SqliteReads

Dialect = Literal["sqlite", "postgresql"]
Reads = SqliteReads | PostgresReads

SQLITE_BUSY_MS = 10_000
POOL_TIMEOUT_SECONDS = 30


class Database:
    """Two engines over one database: one for reads, one for writes (on PostgreSQL the same one)."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = normalised_url(url)
        self.dialect: Dialect = "sqlite" if self.url.get_backend_name() == "sqlite" else "postgresql"
        if self.dialect == "sqlite":
            self._reader = _sqlite_engine(self.url, begin="BEGIN", pool_size=pool_size)
            self._writer = _sqlite_engine(self.url, begin="BEGIN IMMEDIATE", pool_size=1)
            self._reads: Reads = SqliteReads(self.url, self._reader.dialect, in_thread=self._in_thread)
        else:
            self._writer = _postgres_engine(self.url, pool_size=pool_size)
            self._reader = self._writer.execution_options(isolation_level="AUTOCOMMIT")
            self._reads = PostgresReads(self.url, self._reader.dialect, size=pool_size)

    async def rows(self, query: Query, **values: Any) -> Rows:
        """What ``query`` finds with the values that it is `given`: tuples with the columns' names."""
        return await self.found(self.prepared(query), values)

    def prepared(self, query: Query) -> Prepared:
        """``query`` in this database's words, which weigh a tenth of what they were made of."""
        return query.prepared(self._reader.dialect)

    async def found(self, prepared: Prepared, values: Mapping[str, Any]) -> Rows:
        """As `rows`."""
        return prepared.rows(await self._reads.fetch(prepared.sql, prepared.arguments(values)))

    async def _in_thread(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        async with self.read() as connection:
            return (await connection.exec_driver_sql(sql, tuple(arguments))).all()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        async with self._writer.begin() as connection:
            yield connection

    def pools(self) -> dict[str, tuple[int, int]]:
        """By pool: connections in use, and how many there may be."""
        engines = {"read": self._reader, "write": self._writer}
        pools = {name: engine.pool for name, engine in engines.items()}
        counts = {name: (pool.checkedout(), pool.size()) for name, pool in pools.items()}  # type: ignore[attr-defined]  # both are queues
        if isinstance(self._reads, PostgresReads):
            counts["read"] = (self._reads.in_use, self._reads.size)
        return counts

    async def close(self) -> None:
        await self._reads.close()
        await self._reader.dispose()
        await self._writer.dispose()


def normalised_url(url: str) -> URL:
    """``sqlite:`` and ``postgres(ql):`` without a driver get the asynchronous one."""
    parsed = make_url(url)
    backend = {"postgres": "postgresql"}.get(parsed.drivername, parsed.drivername.split("+")[0])
    driver = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}.get(backend)
    if driver is None:
        raise ValueError(
            f"DATABASE_URL: '{parsed.drivername}' is not supported: use sqlite:///… or postgresql://…"
        )
    return parsed.set(drivername=driver)


def _sqlite_engine(url: URL, *, begin: str, pool_size: int) -> AsyncEngine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        hide_parameters=True,
        connect_args={"timeout": SQLITE_BUSY_MS / 1000},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver's own implicit BEGIN would be a deferred one
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            f"busy_timeout={SQLITE_BUSY_MS}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgres_engine(url: URL, *, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,  # addresses and hashes do not belong into a log
        connect_args={"server_settings": {"timezone": "UTC", "application_name": "revgraph"}},
    )
