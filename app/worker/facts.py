"""The outbox's facts, acted on by the table of handlers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app import metrics
from app.context import Deps
from app.db.repositories import outbox
from app.domain.outbox import MAX_ATTEMPTS, FactState, Topic
from app.jobs import LONG, Fact, Handler
from app.worker.claims import BATCH, Desk, pause_after

log = structlog.get_logger(__name__)


class Facts(Desk[Fact]):
    part = "outbox"

    def __init__(self, deps: Deps, *, handlers: Mapping[Topic, Handler], handling_seconds: float) -> None:
        super().__init__(deps)
        self._handlers = handlers
        self._handling_seconds = handling_seconds

    async def is_due(self, connection: AsyncConnection, *, now: datetime) -> bool:
        return await outbox.is_due(connection, now=now)

    async def claim(self, connection: AsyncConnection, *, now: datetime) -> Sequence[Fact]:
        claimed = await outbox.claim(connection, limit=BATCH, now=now, lease=self._deps.lease)
        return [Fact(row.id, row.topic, row.payload, row.attempts, row.created_at) for row in claimed]

    async def extend(self, connection: AsyncConnection, job: Fact, *, until: datetime) -> bool:
        return await outbox.extend(connection, job.id, attempts=job.attempts, until=until)

    def seconds(self, job: Fact) -> float:
        return LONG[Topic(job.topic)].total_seconds() if job.topic in LONG else self._handling_seconds

    async def act_on(self, job: Fact) -> None:
        if job.attempts > MAX_ATTEMPTS:
            raise RuntimeError("Every attempt ended with its worker: nothing more is tried.")
        await self._handlers[Topic(job.topic)](self._deps, job)
        async with self._deps.database.transaction() as connection:
            await outbox.done(connection, job.id, now=self._deps.clock())
        metrics.OUTBOX_FACTS.labels(job.topic, "done").inc()

    async def put_off(self, job: Fact, error: str) -> None:
        delay = pause_after(job.attempts)
        retry_at = self._deps.clock() + delay
        async with self._deps.database.transaction() as connection:
            state = await outbox.failed(
                connection, job.id, attempts=job.attempts, error=error, retry_at=retry_at
            )
        _log(job, state, error, delay)


def _log(fact: Fact, state: FactState | None, error: str, delay: timedelta) -> None:
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
