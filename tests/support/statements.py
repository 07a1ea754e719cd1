"""Which SQL statements does a piece of code send?"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.db.database import Database


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements of ``database`` while the block runs, in order; not BEGIN, COMMIT and the like."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.split(None, 1)[0].upper() not in {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"}:
            seen.append(statement)

    engines = _engines(database)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def _engines(database: Database) -> set[Engine]:
    """On PostgreSQL reads go through an option engine, whose events its parent also sees: once is enough."""
    if database.dialect == "postgresql":
        return {database._writer.sync_engine}
    return {database._writer.sync_engine, database._reader.sync_engine}
