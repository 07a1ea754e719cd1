"""The worker: acts on the outbox's facts, and does the chores, beside the server or as a process of its own.

Any number may run at once. A fact is claimed by a lease, acted on within it, and marked done in the end;
those of a worker that was killed are due again when their lease ends. So a fact may be acted on twice, but is
never lost; and handling is cut off before the lease ends, so that no two workers act on one fact at once.
"""

import asyncio
import random
from collections.abc import Awaitable, Mapping
from datetime import timedelta

import structlog

from app import metrics
from app.context import Deps
from app.db.repositories import outbox
from app.domain.outbox import LEASE, MAX_ATTEMPTS, FactState, Topic, retry_delay
from app.jobs import CHORES, HANDLERS, Chore, Fact, Handler

POLL_SECONDS = 0.5
BATCH = 8
HANDLING_SECONDS = LEASE.total_seconds() * 0.75
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
    ) -> None:
        self._deps = deps
        self._handlers = handlers
        self._chores = chores
        self._poll_seconds = poll_seconds
        self._handling_seconds = handling_seconds
        self._awake = asyncio.Event()
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        chores = [self._repeat(chore, seconds) for chore, seconds in self._chores.items()]
        await asyncio.gather(self._act_on_facts(), *chores)

    def wake(self) -> None:
        """There may be a new fact: look at once."""
        self._awake.set()

    def stop(self) -> None:
        """Ends ``run`` after the facts in hand and a last turn of every chore."""
        self._stopped.set()
        self._awake.set()

    async def _act_on_facts(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            self._awake.clear()
            try:
                found = await self.work_once()
                failures = 0
            except Exception as error:  # noqa: BLE001 - no failure may end the worker
                failures += 1
                _log_failure("outbox", error)
                await _wait(self._stopped, min(2.0**failures * self._poll_seconds, LONGEST_PAUSE_SECONDS))
            else:
                if not found and not self._stopped.is_set():
                    await _wait(self._awake, self._poll_seconds)

    async def work_once(self) -> int:
        """Acts on the facts that are due, a batch at most; how many there were."""
        async with self._deps.database.read() as connection:
            if not await outbox.is_due(connection, now=self._deps.clock()):
                return 0
        async with self._deps.database.transaction() as connection:
            claimed = await outbox.claim(connection, limit=BATCH, now=self._deps.clock())
        facts = [Fact(row.id, row.topic, row.payload, row.attempts, row.created_at) for row in claimed]
        outcomes = await asyncio.gather(*map(self._act_on, facts), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return len(facts)

    async def _act_on(self, fact: Fact) -> None:
        try:
            async with asyncio.timeout(self._handling_seconds):
                await self._handle(fact)
        except Exception as error:  # noqa: BLE001 - a handler may fail in any way; the fact remembers how
            await self._put_off(fact, error)
            return
        async with self._deps.database.transaction() as connection:
            await outbox.done(connection, fact.id, now=self._deps.clock())
        metrics.OUTBOX_FACTS.labels(fact.topic, "done").inc()

    async def _handle(self, fact: Fact) -> None:
        if fact.attempts > MAX_ATTEMPTS:
            raise RuntimeError("Every attempt ended with its worker: nothing more is tried.")
        await self._handlers[Topic(fact.topic)](self._deps, fact)

    async def _put_off(self, fact: Fact, error: Exception) -> None:
        delay = retry_delay(fact.attempts) * random.uniform(1, 1.5)  # noqa: S311 - spreads retries, no secret
        described = f"{type(error).__name__}: {error}"
        async with self._deps.database.transaction() as connection:
            state = await outbox.failed(
                connection,
                fact.id,
                attempts=fact.attempts,
                error=described,
                retry_at=self._deps.clock() + delay,
            )
        _log_fact(fact, state, described, delay)

    async def _repeat(self, chore: Chore, seconds: float) -> None:
        """At once, at the interval, and once more at the end."""
        while not self._stopped.is_set():
            await _guarded(chore.__name__, chore(self._deps))
            await _wait(self._stopped, seconds)
        await _guarded(chore.__name__, chore(self._deps))


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


async def _guarded(part: str, work: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(CHORE_SECONDS):
            await work
    except Exception as error:  # noqa: BLE001 - no failure may end the worker
        _log_failure(part, error)


def _log_failure(part: str, error: Exception) -> None:
    metrics.WORKER_FAILURES.labels(part).inc()
    log.error("worker_failed", part=part, exc_info=error)


def _log_fact(fact: Fact, state: FactState | None, error: str, delay: timedelta) -> None:
    if state is None:
        log.warning("fact_taken_over", fact_id=fact.key, topic=fact.topic, error=error)
    elif state is FactState.DEAD:
        metrics.OUTBOX_FACTS.labels(_known(fact.topic), "dead").inc()
        log.error("fact_dead", fact_id=fact.key, topic=fact.topic, attempts=fact.attempts, error=error)
    else:
        metrics.OUTBOX_FACTS.labels(_known(fact.topic), "retried").inc()
        log.warning(
            "fact_failed",
            fact_id=fact.key,
            topic=fact.topic,
            attempts=fact.attempts,
            error=error,
            seconds=round(delay.total_seconds(), 1),
        )


def _known(topic: str) -> str:
    return topic if topic in set(Topic) else "unknown"
