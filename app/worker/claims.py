"""Work that is claimed by lease: any number of processes share it, and a killed one's is taken over.

What is claimed is due again when the lease ends, unless it was settled. So it may be acted on twice, but is
never lost. While somebody acts the lease is renewed; who cannot renew it is cut off before it ends, so that
no two act on one thing at once.
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from app.context import Deps
from app.domain.outbox import retry_delay

BATCH = 8
Job = TypeVar("Job")


class Desk(ABC, Generic[Job]):
    """One kind of claimed work; ``part`` is its name in log and metrics."""

    part: str

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    @abstractmethod
    async def is_due(self, connection: AsyncConnection, *, now: datetime) -> bool: ...
    @abstractmethod
    async def claim(self, connection: AsyncConnection, *, now: datetime) -> Sequence[Job]: ...
    @abstractmethod
    async def extend(self, connection: AsyncConnection, job: Job, *, until: datetime) -> bool:
        """Whether the lease was still this claim's."""

    @abstractmethod
    async def act_on(self, job: Job) -> None:
        """Does what is to be done, and marks it done."""

    @abstractmethod
    async def put_off(self, job: Job, error: str, *, delay: timedelta) -> None: ...
    @abstractmethod
    def attempts(self, job: Job) -> int: ...
    @abstractmethod
    def seconds(self, job: Job) -> float:
        """How long acting may take at most, however often the lease is renewed."""

    async def work_once(self) -> int:
        """Acts on what is due, a batch at most; how much there was."""
        async with self._deps.database.read() as connection:
            if not await self.is_due(connection, now=self._deps.clock()):
                return 0
        async with self._deps.database.transaction() as connection:
            jobs = await self.claim(connection, now=self._deps.clock())
        outcomes = await asyncio.gather(*map(self._try, jobs), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return len(jobs)

    async def _try(self, job: Job) -> None:
        lease = self._deps.lease.total_seconds()
        try:
            async with _held(lambda: self._renew(job), lease=lease, most=self.seconds(job)):
                await self.act_on(job)
        except Exception as error:  # noqa: BLE001 - acting may fail in any way; the row remembers how
            delay = retry_delay(self.attempts(job)) * random.uniform(1, 1.5)  # noqa: S311 - spreads retries, no secret
            await self.put_off(job, f"{type(error).__name__}: {error}", delay=delay)

    async def _renew(self, job: Job) -> bool:
        async with self._deps.database.transaction() as connection:
            return await self.extend(connection, job, until=self._deps.clock() + self._deps.lease)


@asynccontextmanager
async def _held(renew: Callable[[], Awaitable[bool]], *, lease: float, most: float) -> AsyncIterator[None]:
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
