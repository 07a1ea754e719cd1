"""Which SQL statements does a piece of code send?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.db.database import Database, Reads


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements of ``database`` while the block runs, in order; not BEGIN, COMMIT and the like."""
    seen: list[str] = []
    with _noted(database, lambda statement, _: seen.append(statement)):
        yield seen


@contextmanager
def recorded(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The same, each with its parameters; of a statement that ran for many rows, with the first row's."""
    seen: list[tuple[str, Any]] = []
    with _noted(database, lambda statement, parameters: seen.append((statement, parameters))):
        yield seen


@contextmanager
def _noted(database: Database, take: Callable[[str, Any], None]) -> Iterator[None]:
    def note(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
    ) -> None:
        if statement.split(None, 1)[0].upper() not in {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"}:
            take(statement, parameters[0] if many else parameters)

    async def fetch(sql: str, arguments: Any) -> Any:
        take(sql, tuple(arguments))
        return await reads.fetch(sql, arguments)

    engines, reads = _engines(database), database._reads
    database._reads = cast(Reads, SimpleNamespace(fetch=fetch))
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        database._reads = reads
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def _engines(database: Database) -> set[Engine]:
    """On PostgreSQL reads go through an option engine, whose events its parent also sees: once is enough."""
    if database.dialect == "postgresql":
        return {database._writer.sync_engine}
    return {database._writer.sync_engine, database._reader.sync_engine}
