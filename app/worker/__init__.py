"""The worker: acts on facts and events, and does the chores, beside the server or as a process of its own.

Any number may run at once (see ``claims``).
"""

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from typing import Any

import structlog

from app import metrics
from app.context import Deps
from app.domain.outbox import Topic
from app.jobs import CHORES, HANDLERS, Chore, Handler
from app.worker.claims import Desk
from app.worker.events import Events
from app.worker.facts import Facts

POLL_SECONDS = 0.5
HANDLING_SECONDS = 45
ENDING_SECONDS = 45
"""So long what is in hand may take when the worker stops; what takes longer is due again after its lease."""
CHORE_SECONDS = 30
LONGEST_PAUSE_SECONDS = 30

log = structlog.get_logger(__name__)


class Worker:
    """``run`` until ``stop``; whatever fails in between, the database included, is logged and tried again."""

    def __init__(
        self,
        deps: Deps,
        *,
        handlers: Mapping[Topic, Handler] = HANDLERS,
        chores: Mapping[Chore, float] = CHORES,
        poll_seconds: float = POLL_SECONDS,
        handling_seconds: float = HANDLING_SECONDS,
        ending_seconds: float = ENDING_SECONDS,
    ) -> None:
        self._deps = deps
        self._chores = chores
        self._poll_seconds = poll_seconds
        self._ending_seconds = ending_seconds
        self._stopped = asyncio.Event()
        facts = Facts(deps, handlers=handlers, handling_seconds=handling_seconds)
        desks: list[Desk[Any]] = [facts, Events(deps)] if deps.provider is not None else [facts]
        self._desks = {desk: asyncio.Event() for desk in desks}

    async def run(self) -> None:
        chores = [self._repeat(chore, seconds) for chore, seconds in self._chores.items()]
        await asyncio.gather(*(self._work_until_stopped(desk) for desk in self._desks), *chores)

    def wake(self) -> None:
        """There may be something new: look at once."""
        for awake in self._desks.values():
            awake.set()

    def stop(self) -> None:
        """Ends ``run`` after what is in hand, if that ends soon, and a last turn of every chore."""
        self._stopped.set()
        self.wake()

    async def work_once(self) -> int:
        """Acts on what is due, a batch of each kind at most; how much there was."""
        return sum([await desk.work_once() for desk in self._desks])

    async def _work_until_stopped(self, desk: Desk[Any]) -> None:
        working = asyncio.create_task(self._work_at(desk))
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait([working, stopped], return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait([working], timeout=self._ending_seconds)
            if not working.done():
                log.warning("work_in_hand_left", part=desk.part)
        finally:
            working.cancel()
            stopped.cancel()
            ended, _ = await asyncio.gather(working, stopped, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended

    async def _work_at(self, desk: Desk[Any]) -> None:
        failures, awake = 0, self._desks[desk]
        while not self._stopped.is_set():
            awake.clear()
            try:
                found = await desk.work_once()
                failures = 0
            except Exception as error:  # noqa: BLE001 - no failure may end the worker
                failures += 1
                _log_failure(desk.part, error)
                await _wait(self._stopped, min(2.0**failures * self._poll_seconds, LONGEST_PAUSE_SECONDS))
            else:
                if not found and not self._stopped.is_set():
                    await _wait(awake, self._poll_seconds)

    async def _repeat(self, chore: Chore, seconds: float) -> None:
        """At once, at the interval, and once more at the end."""
        while not self._stopped.is_set():
            await _guarded(chore.__name__, chore(self._deps))
            await _wait(self._stopped, seconds)
        await _guarded(chore.__name__, chore(self._deps))


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


async def _guarded(part: str, work: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(CHORE_SECONDS):
            await work
    except Exception as error:  # noqa: BLE001 - no failure may end the worker
        _log_failure(part, error)


def _log_failure(part: str, error: Exception) -> None:
    metrics.WORKER_FAILURES.labels(part).inc()
    log.error("worker_failed", part=part, exc_info=error)
