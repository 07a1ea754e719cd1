"""The provider's events, acted on by the table of settlement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app import metrics
from app.db.repositories import webhook_events
from app.domain.payments import WebhookStatus
from app.domain.webhooks import MAX_ATTEMPTS, read_event
from app.settlement import inbox
from app.settlement.events import line_of
from app.worker.claims import BATCH, Desk

SECONDS = 90
"""A fetch of the provider's may be tried three times, for twenty seconds each."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Claimed:
    """``payload`` is read by whoever acts on it: one that cannot be read holds up no other event."""

    id: UUID
    event_id: str
    type: str
    payload: Any
    attempts: int


class Events(Desk[Claimed]):
    part = "webhooks"

    async def is_due(self, connection: AsyncConnection, *, now: datetime) -> bool:
        return await webhook_events.is_due(connection, now=now)

    async def claim(self, connection: AsyncConnection, *, now: datetime) -> Sequence[Claimed]:
        rows = await webhook_events.claim(connection, limit=BATCH, now=now, lease=self._deps.lease)
        return [
            Claimed(row.id, row.stripe_event_id, row.event_type, row.payload, row.attempts) for row in rows
        ]

    async def extend(self, connection: AsyncConnection, job: Claimed, *, until: datetime) -> bool:
        return await webhook_events.extend(connection, job.id, attempts=job.attempts, until=until)

    def attempts(self, job: Claimed) -> int:
        return job.attempts

    def seconds(self, _: Claimed) -> float:
        return SECONDS

    async def act_on(self, job: Claimed) -> None:
        if job.attempts > MAX_ATTEMPTS:
            raise RuntimeError("Every attempt ended with its worker: nothing more is tried.")
        received = inbox.Received(job.id, read_event(job.payload))
        status = await inbox.act_on(self._deps.tools, received)
        _count(job, status)

    async def put_off(self, job: Claimed, error: str, *, delay: timedelta) -> None:
        retry_at = self._deps.clock() + delay
        async with self._deps.database.transaction() as connection:
            status = await webhook_events.failed(
                connection, job.id, attempts=job.attempts, error=error, retry_at=retry_at
            )
        facts = {
            "event_id": job.event_id,
            "type": job.type,
            "attempts": job.attempts,
            "error": error,
        }
        if status is None:
            log.warning("webhook_event_taken_over", **facts)
        elif status is WebhookStatus.DEAD:
            _count(job, "dead")
            log.error("webhook_event_dead", **facts)
        else:
            _count(job, "retried")
            log.warning("webhook_event_failed", **facts, seconds=round(delay.total_seconds(), 1))


def _count(job: Claimed, outcome: str) -> None:
    metrics.WEBHOOK_EVENTS.labels(line_of(job.type) or "other", outcome).inc()
