"""The provider's events, acted on by the table of settlement."""

from collections.abc import Hashable, Iterable, Sequence
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
from app.settlement.events import line_of, targets_of
from app.worker.claims import BATCH, Desk, pause_after

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


Together = Sequence[Claimed]
"""Events about the same objects: looked up once, these are as all of the events left them."""


class Events(Desk[Together]):
    part = "webhooks"

    async def is_due(self, connection: AsyncConnection, *, now: datetime) -> bool:
        return await webhook_events.is_due(connection, now=now)

    async def claim(self, connection: AsyncConnection, *, now: datetime) -> Sequence[Together]:
        rows = await webhook_events.claim(connection, limit=BATCH, now=now, lease=self._deps.lease)
        return _together(
            Claimed(row.id, row.stripe_event_id, row.event_type, row.payload, row.attempts) for row in rows
        )

    async def extend(self, connection: AsyncConnection, job: Together, *, until: datetime) -> bool:
        ours = [
            await webhook_events.extend(connection, event.id, attempts=event.attempts, until=until)
            for event in job
        ]
        return all(ours)

    def seconds(self, _: Together) -> float:
        return SECONDS

    async def act_on(self, job: Together) -> None:
        if _is_exhausted(job[0]):
            raise RuntimeError("Every attempt ended with its worker: nothing more is tried.")
        received = [inbox.Received(event.id, read_event(event.payload)) for event in job]
        status = await inbox.act_on(self._deps.tools, received)
        for event in job:
            _count(event, status)

    async def put_off(self, job: Together, error: str) -> None:
        for event in job:
            await self._put_off(event, error, delay=pause_after(event.attempts))

    async def _put_off(self, event: Claimed, error: str, *, delay: timedelta) -> None:
        retry_at = self._deps.clock() + delay
        async with self._deps.database.transaction() as connection:
            status = await webhook_events.failed(
                connection, event.id, attempts=event.attempts, error=error, retry_at=retry_at
            )
        facts = {
            "event_id": event.event_id,
            "type": event.type,
            "attempts": event.attempts,
            "error": error,
        }
        if status is None:
            log.warning("webhook_event_taken_over", **facts)
        elif status is WebhookStatus.DEAD:
            _count(event, "dead")
            log.error("webhook_event_dead", **facts)
        else:
            _count(event, "retried")
            log.warning("webhook_event_failed", **facts, seconds=round(delay.total_seconds(), 1))


def _together(claimed: Iterable[Claimed]) -> list[Together]:
    """One that cannot be acted on stands alone."""
    groups: dict[Hashable, list[Claimed]] = {}
    for event in claimed:
        groups.setdefault(_objects(event), []).append(event)
    return list(groups.values())


def _objects(event: Claimed) -> Hashable:
    if _is_exhausted(event):
        return event.id
    try:
        return tuple(targets_of(read_event(event.payload)))
    except Exception:  # noqa: BLE001 - whatever it is, it is raised again where one event alone suffers from it
        return event.id


def _is_exhausted(event: Claimed) -> bool:
    return event.attempts > MAX_ATTEMPTS


def _count(event: Claimed, outcome: str) -> None:
    metrics.WEBHOOK_EVENTS.labels(line_of(event.type) or "other", outcome).inc()
