"""Connections of asyncpg for reads, and what happens when one of them, or the server, is gone."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it carries no types
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.url import URL

# Seconds before another attempt: a server that restarts is back within them, and a read may be repeated.
PAUSES = (0, 0.05, 0.2, 0.5, 1, 2)
UNREACHABLE = (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError)
SETTINGS = {
    "timezone": "UTC",
    "application_name": "revgraph reads",
    "jit": "off",  # compiling takes longer than what is asked here
}
_NOT_THE_DRIVERS = {"async_fallback", "async_creator_fn", "prepared_statement_name_func"}


class PostgresReads:
    """A pool that resets nothing: each read is a statement of its own, and leaves nothing behind."""

    def __init__(self, url: URL, dialect: Dialect, *, size: int) -> None:
        self._options = _options(url, dialect)
        self._slots = asyncio.Semaphore(size)
        self._idle: list[Any] = []
        self.size = size
        self.in_use = 0

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        for pause in PAUSES:
            try:
                return await self._fetch(sql, arguments)
            except _Gone:
                await asyncio.sleep(pause)
        return await self._fetch(sql, arguments)

    async def _fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        async with self._slots:
            self.in_use += 1
            try:
                connection = self._idle.pop() if self._idle else await self._connect()
                return await self._ask(connection, sql, arguments)
            finally:
                self.in_use -= 1

    async def _ask(self, connection: Any, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        try:
            rows: Sequence[Any] = await connection.fetch(sql, *arguments)
        except Exception as error:
            if not connection.is_closed() and not isinstance(error, UNREACHABLE):
                self._idle.append(connection)
                raise
            # The others are as old, and the server that they spoke to is no more.
            self.terminate()
            connection.terminate()
            raise _Gone from error
        except BaseException:
            connection.terminate()  # somebody stopped waiting; the answer would come to the next who asks
            raise
        self._idle.append(connection)
        return rows

    async def _connect(self) -> Any:
        try:
            return await asyncpg.connect(**self._options)
        except UNREACHABLE as error:
            raise _Gone from error

    def terminate(self) -> None:
        while self._idle:
            self._idle.pop().terminate()

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()


class _Gone(ConnectionError):
    """The connection is gone, or there is none to be had."""


def _options(url: URL, dialect: Dialect) -> dict[str, Any]:
    """What SQLAlchemy makes of the URL, in the driver's words."""
    _, options = dialect.create_connect_args(url)
    given = {name: value for name, value in options.items() if name not in _NOT_THE_DRIVERS}
    if "prepared_statement_cache_size" in given:
        given["statement_cache_size"] = int(given.pop("prepared_statement_cache_size"))
    return {**given, "server_settings": {**SETTINGS, **given.get("server_settings", {})}}
