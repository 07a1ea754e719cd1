"""Who may bring an object up to date: one at a time, and nobody for ever."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database
from app.db.ids import new_id
from app.db.repositories import object_leases
from app.domain.outbox import LEASE

WAITS = timedelta(seconds=10)
PAUSE_SECONDS = 0.05


class Busy(Exception):
    """Another one holds the lease for longer than one waits."""


class Lost(Exception):
    """The lease ended while its holder was at work: what it fetched may be old, and is not written."""


@dataclass(frozen=True)
class Lease:
    object_id: str
    token: UUID


async def take(
    database: Database, object_id: str, *, clock: Callable[[], datetime], lasts: timedelta = LEASE
) -> Lease:
    """Waits a while for another holder. Raises Busy."""
    lease = Lease(object_id, new_id())
    for _ in range(int(WAITS.total_seconds() / PAUSE_SECONDS)):
        now = clock()
        async with database.transaction() as connection:
            taken = await object_leases.take(
                connection, object_id=object_id, token=lease.token, now=now, expires_at=now + lasts
            )
        if taken:
            return lease
        await asyncio.sleep(PAUSE_SECONDS)
    raise Busy(object_id)


@asynccontextmanager
async def held(
    database: Database, object_id: str, *, clock: Callable[[], datetime], lasts: timedelta = LEASE
) -> AsyncIterator[Lease]:
    """The lease, given back in the end however the block went. Raises Busy."""
    lease = await take(database, object_id, clock=clock, lasts=lasts)
    try:
        yield lease
    finally:
        await give_back(database, lease)


async def prove(connection: AsyncConnection, lease: Lease) -> None:
    """Ends the lease with the transaction that it was for. Raises Lost."""
    if not await object_leases.end(connection, object_id=lease.object_id, token=lease.token):
        raise Lost(lease.object_id)


async def give_back(database: Database, lease: Lease) -> None:
    async with database.transaction() as connection:
        await object_leases.end(connection, object_id=lease.object_id, token=lease.token)
