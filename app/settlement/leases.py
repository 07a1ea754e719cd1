"""Who may bring an object up to date: one at a time, and nobody for ever."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
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
    database: Database,
    object_id: str,
    *,
    clock: Callable[[], datetime],
    lasts: timedelta = LEASE,
    waits: timedelta = WAITS,
    pause_seconds: float = PAUSE_SECONDS,
) -> Lease:
    """Waits a while for another holder. Raises Busy."""
    lease = Lease(object_id, new_id())
    for _ in range(1 + int(waits.total_seconds() / pause_seconds)):
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


@asynccontextmanager
async def kept(
    database: Database, lease: Lease, *, clock: Callable[[], datetime], lasts: timedelta = LEASE
) -> AsyncIterator[None]:
    """Renews a lease that was taken for as long as the block needs, and gives it back.

    Raises TimeoutError in the block when it could not be renewed.
    """

    async def renew() -> bool:
        async with database.transaction() as connection:
            return await object_leases.extend(
                connection, object_id=lease.object_id, token=lease.token, expires_at=clock() + lasts
            )

    try:
        async with renewed(renew, lease=lasts.total_seconds()):
            yield
    finally:
        await give_back(database, lease)


@asynccontextmanager
async def renewed(
    renew: Callable[[], Awaitable[bool]], *, lease: float, most: float = math.inf
) -> AsyncIterator[None]:
    """Raises TimeoutError in the block after ``most`` seconds, or when the lease could not be renewed."""
    loop = asyncio.get_running_loop()
    end = loop.time() + most

    async def beat() -> None:
        while True:
            await asyncio.sleep(lease / 3)
            held_until = min(loop.time() + lease * 0.75, end)
            with suppress(Exception):  # a database that is away: it is tried again while the lease lasts
                if not await renew():
                    return
                limit.reschedule(held_until)

    async with asyncio.timeout_at(min(loop.time() + lease * 0.75, end)) as limit:
        beating: asyncio.Task[Any] = asyncio.create_task(beat())
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)


async def prove(connection: AsyncConnection, lease: Lease) -> None:
    """Ends the lease with the transaction that it was for. Raises Lost."""
    if not await object_leases.end(connection, object_id=lease.object_id, token=lease.token):
        raise Lost(lease.object_id)


async def give_back(database: Database, lease: Lease) -> None:
    async with database.transaction() as connection:
        await object_leases.end(connection, object_id=lease.object_id, token=lease.token)
