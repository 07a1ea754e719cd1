"""The recent failures by which sign-ins are locked out."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import SignInGuard
from app.domain import lockout
from app.domain.errors import AccountLocked, DomainError, InvalidCredentials


async def locked_until(
    connection: AsyncConnection, subjects: Sequence[str], *, now: datetime
) -> datetime | None:
    """The latest lock on any of the subjects that still lasts."""
    statement = select(func.max(SignInGuard.locked_until)).where(
        SignInGuard.subject.in_(subjects), SignInGuard.locked_until > now
    )
    return (await connection.execute(statement)).scalar_one()


def subjects_of(email: str, address: str | None = None) -> list[str]:
    """The names under which attempts at the account, from the address, are counted."""
    return [f"account:{email}", *([f"address:{address}"] if address else [])]


async def settle(
    connection: AsyncConnection, subjects: Sequence[str], *, right: bool, now: datetime
) -> DomainError | None:
    """Counts a failure, or forgives the earlier ones; returned, not raised, so that it is stored."""
    for subject in subjects:
        until = await _settle_one(connection, subject, failed=not right, now=now)
        if until is not None:
            return AccountLocked(until=until)
    return None if right else InvalidCredentials()


async def _settle_one(
    connection: AsyncConnection, subject: str, *, failed: bool, now: datetime
) -> datetime | None:
    """Stores one attempt's outcome; the end of the lock when one was on, in which case nothing is stored.

    The row is held until the transaction ends: attempts at the same time are counted one after the other.
    """
    insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    await connection.execute(  # an update that changes nothing holds the row, so that pruning waits
        insert(SignInGuard)
        .values(subject=subject, failures=[], updated_at=now)
        .on_conflict_do_update(index_elements=[SignInGuard.subject], set_={"updated_at": now})
    )
    row = select(SignInGuard.failures, SignInGuard.locked_until).where(SignInGuard.subject == subject)
    guard = (await connection.execute(row.with_for_update())).one()
    if guard.locked_until is not None and guard.locked_until > now:
        return guard.locked_until  # type: ignore[no-any-return]  # a row's columns are not typed
    if failed:
        failures, until = lockout.after_failure(
            [datetime.fromisoformat(at) for at in guard.failures], now=now
        )
        await _store(connection, subject, failures=failures, until=until, now=now)
    elif subject.startswith(
        "account:"
    ):  # an address is not forgiven: it may try many accounts, one of them its own
        await _store(connection, subject, failures=[], until=None, now=now)
    return None


async def forgive(connection: AsyncConnection, subject: str, *, now: datetime) -> None:
    await _store(connection, subject, failures=[], until=None, now=now)


async def _store(
    connection: AsyncConnection,
    subject: str,
    *,
    failures: Sequence[datetime],
    until: datetime | None,
    now: datetime,
) -> None:
    await connection.execute(
        update(SignInGuard)
        .where(SignInGuard.subject == subject)
        .values(failures=[at.isoformat() for at in failures], locked_until=until, updated_at=now)
    )


async def prune(connection: AsyncConnection, *, before: datetime) -> None:
    await connection.execute(delete(SignInGuard).where(SignInGuard.updated_at < before))
