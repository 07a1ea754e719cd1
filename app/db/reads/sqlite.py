"""A connection of sqlite3 for reads, asked without a thread: what is short costs less than the way to one.

SQLite reads beside its writer (WAL), and through indexes a page takes tens of microseconds; a hop to a thread
takes as long, and contends for the interpreter's lock at each row. What turns out to take longer is broken
off, and asked again in a thread.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy.engine import Dialect
from sqlalchemy.engine.url import URL

# Instructions of SQLite's virtual machine, about two milliseconds of them.
SHORT = 100_000

Fetch = Callable[[str, Sequence[Any]], Awaitable[Sequence[Any]]]


class SqliteReads:
    def __init__(self, url: URL, dialect: Dialect, *, in_thread: Fetch) -> None:
        (self._path, *_), self._options = dialect.create_connect_args(url)
        self._in_thread = in_thread
        self._connection: sqlite3.Connection | None = None
        self._told = 0

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        connection = self._connection or self._connect()
        self._told = 0
        try:
            return connection.execute(sql, arguments).fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY):
                raise
            return await self._in_thread(sql, arguments)

    def _connect(self) -> sqlite3.Connection:
        options = {**self._options, "timeout": 0, "isolation_level": None, "check_same_thread": False}
        connection: sqlite3.Connection = sqlite3.connect(self._path, **options)
        self._connection = connection
        connection.execute("PRAGMA query_only = ON")
        connection.set_progress_handler(self._take_too_long, SHORT)
        return connection

    def _take_too_long(self) -> bool:
        """Told every ``SHORT`` instructions, which SQLite counts over all executions of a statement."""
        self._told += 1
        return self._told > 1

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
