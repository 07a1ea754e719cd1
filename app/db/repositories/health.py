"""Is this database sound? Questions of an operator, answered without changing anything."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import AuditEntry, Package, UsageEvent, User


async def has_users(connection: AsyncConnection) -> bool:
    return (await connection.execute(select(User.id).limit(1))).first() is not None


async def knows_any(connection: AsyncConnection, emails: Iterable[str]) -> bool:
    found = select(User.id).where(User.email.in_(list(emails)), User.deleted_at.is_(None)).limit(1)
    return (await connection.execute(found)).first() is not None


async def package_slugs(connection: AsyncConnection, *, limit: int) -> set[str]:
    return set((await connection.execute(select(Package.slug).limit(limit))).scalars())


async def version(connection: AsyncConnection) -> str:
    """As the database itself writes it: '3.45.1', '18.1'."""
    statement = "SELECT sqlite_version()" if connection.dialect.name == "sqlite" else "SHOW server_version"
    return str((await connection.execute(text(statement))).scalar_one())


async def size_bytes(connection: AsyncConnection) -> int:
    """Of the whole database."""
    if connection.dialect.name == "sqlite":
        statement = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    else:
        statement = "SELECT pg_database_size(current_database())"
    return int((await connection.execute(text(statement))).scalar_one())


async def journal_mode(connection: AsyncConnection) -> str:
    """SQLite's; 'wal' is what the program sets."""
    return str((await connection.execute(text("PRAGMA journal_mode"))).scalar_one())


async def damage(connection: AsyncConnection) -> list[str]:
    """SQLite's own check of the file; empty when it is sound."""
    rows = (await connection.execute(text("PRAGMA quick_check(5)"))).scalars().all()
    return [] if rows == ["ok"] else [str(row) for row in rows]


async def broken_references(connection: AsyncConnection) -> int:
    """Rows of SQLite that refer to rows which are not there."""
    return len((await connection.execute(text("PRAGMA foreign_key_check"))).all())


async def has_trigrams(connection: AsyncConnection) -> bool:
    """PostgreSQL's extension pg_trgm, by which search forgives slips."""
    statement = text("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
    return (await connection.execute(statement)).first() is not None


async def clock(connection: AsyncConnection) -> datetime:
    """PostgreSQL's time."""
    moment: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
    return moment.astimezone(UTC)


async def newest_moment(connection: AsyncConnection) -> datetime | None:
    """The time of the newest rows that every deed leaves; ids sort by age."""
    moments = [
        (await connection.execute(select(column).order_by(key.desc()).limit(1))).scalar_one_or_none()
        for column, key in (
            (AuditEntry.created_at, AuditEntry.id),
            (UsageEvent.recorded_at, UsageEvent.id),
        )
    ]
    return max((moment for moment in moments if moment is not None), default=None)
