"""Deliveries: one request at a time fetches from a link and holds one of the account's installations.

A delivery has a lease, which it renews; when its process dies, slot and link are free again when the lease
ends. Its reservation's id is the fence: who lost the lease can change nothing any more.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row

from app.db.database import Database
from app.db.repositories import downloads, reservations
from app.domain import ranges
from app.domain.downloads import LEASE, RENEWAL
from app.domain.errors import Conflict, InvalidToken
from app.domain.plans import Resource
from app.domain.viewer import Allowance

Clock = Callable[[], datetime]
Result = TypeVar("Result")
_unbroken: set[asyncio.Task[Any]] = set()


class LeaseLost(Exception):
    """Another delivery of the link began after this one's lease had ended."""


@dataclass
class Delivery:
    """The bytes [start, stop) are handed over so far, of [start, end)."""

    download_id: UUID
    package_id: UUID
    reservation_id: UUID
    size: int
    start: int
    stop: int
    end: int
    renewed_at: datetime
    settled: bool = False


@asynccontextmanager
async def running(
    *, database: Database, allowance: Allowance, link: Row[Any], start: int, end: int, clock: Clock
) -> AsyncIterator[Delivery]:
    """What was handed over is recorded and the slot given back at the end, however it comes.

    Raises Conflict while another delivery runs, InvalidToken when one completed, QuotaExceeded.
    """
    begun = asyncio.create_task(
        _begin(database=database, allowance=allowance, link=link, start=start, end=end, now=clock())
    )
    try:
        yield await asyncio.shield(begun)
    finally:
        await _to_the_end(_end(database, begun, clock))


async def _begin(
    *, database: Database, allowance: Allowance, link: Row[Any], start: int, end: int, now: datetime
) -> Delivery:
    async with database.transaction() as connection:
        found = await downloads.lock(connection, link.id)
        if found.completed_at is not None:
            raise InvalidToken("This link was used: make a new one with createDownload.")
        if found.running_until is not None and found.running_until > now:
            raise Conflict("This link is being downloaded from at the moment: wait until that has ended.")
        reservation_id = await reservations.reserve(
            connection, allowance, Resource.CONCURRENT_INSTALLATION, 1, expires_at=now + LEASE, now=now
        )
        await downloads.change(connection, link.id, reservation_id=reservation_id, running_until=now + LEASE)
    return Delivery(link.id, link.package_id, reservation_id, link.size_bytes, start, start, end, now)


async def renew(*, database: Database, delivery: Delivery, now: datetime) -> None:
    """From time to time, while bytes flow. Raises LeaseLost."""
    if now >= delivery.renewed_at + RENEWAL:
        await _to_the_end(_renew(database=database, delivery=delivery, now=now))


async def _renew(*, database: Database, delivery: Delivery, now: datetime) -> None:
    async with database.transaction() as connection:
        found = await downloads.lock(connection, delivery.download_id)
        extended = await reservations.extend(connection, delivery.reservation_id, expires_at=now + LEASE)
        if found.reservation_id != delivery.reservation_id or not extended:
            raise LeaseLost
        await downloads.change(connection, delivery.download_id, running_until=now + LEASE)
    delivery.renewed_at = now


async def complete(*, database: Database, delivery: Delivery, now: datetime) -> None:
    """All of [start, end) is as good as handed over. Raises LeaseLost."""
    delivery.stop = delivery.end
    if not await _to_the_end(_settle(database, delivery, now=now)):
        raise LeaseLost


async def _end(database: Database, begun: asyncio.Task[Delivery], clock: Clock) -> None:
    await asyncio.wait([begun])
    if not begun.cancelled() and begun.exception() is None and not begun.result().settled:
        await _settle(database, begun.result(), now=clock())


async def _settle(database: Database, delivery: Delivery, *, now: datetime) -> bool:
    """Records what was handed over, once; the last missing byte completes the download and counts it."""
    async with database.transaction() as connection:
        found = await downloads.lock(connection, delivery.download_id)
        if found.reservation_id != delivery.reservation_id:
            return False
        covered = ranges.merge([tuple(part) for part in found.covered], (delivery.start, delivery.stop))
        whole = ranges.complete(covered, delivery.size) and delivery.stop == delivery.end
        await downloads.change(
            connection,
            delivery.download_id,
            covered=[list(part) for part in covered],
            delivered_bytes=found.delivered_bytes + delivery.stop - delivery.start,
            reservation_id=None,
            running_until=None,
            completed_at=now if whole else None,
        )
        await reservations.release(connection, delivery.reservation_id)
        if whole:
            await downloads.count_download(connection, delivery.package_id)
    delivery.settled = True
    return True


async def _to_the_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Whoever waits here may be cancelled; the work goes on."""
    task = asyncio.create_task(work)
    _unbroken.add(task)
    task.add_done_callback(_unbroken.discard)
    return await asyncio.shield(task)
