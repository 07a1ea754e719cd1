"""Work that is claimed by lease: any number of processes share it, and a killed one's is taken over.

What is claimed is due again when the lease ends, unless it was settled. So it may be acted on twice, but is
never lost. While somebody acts the lease is renewed; who cannot renew it is cut off before it ends, so that
no two act on one thing at once.
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from app.context import Deps
from app.domain.outbox import retry_delay
from app.settlement import leases

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
    async def put_off(self, job: Job, error: str) -> None:
        """It is due again after a pause (``pause_after``), or given up."""

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
            async with leases.renewed(lambda: self._renew(job), lease=lease, most=self.seconds(job)):
                await self.act_on(job)
        except Exception as error:  # noqa: BLE001 - acting may fail in any way; the row remembers how
            await self.put_off(job, f"{type(error).__name__}: {error}")

    async def _renew(self, job: Job) -> bool:
        async with self._deps.database.transaction() as connection:
            return await self.extend(connection, job, until=self._deps.clock() + self._deps.lease)


def pause_after(attempts: int) -> timedelta:
    """Until the next attempt, spread by chance."""
    return retry_delay(attempts) * random.uniform(1, 1.5)  # noqa: S311 - spreads retries, no secret
