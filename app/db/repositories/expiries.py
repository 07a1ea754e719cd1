"""Rows that are kept for a time only: answers to repeat, facts that were acted on."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, delete, or_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import IdempotencyKey, ObjectLease, OutboxFact, WebhookEvent
from app.domain.outbox import FactState
from app.domain.payments import WebhookStatus


async def forget_idempotency_keys(connection: AsyncConnection, *, before: datetime) -> None:
    await connection.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < before))


async def forget_done_facts(connection: AsyncConnection, *, before: datetime, keyed_before: datetime) -> None:
    """By the age in the id, which is indexed, unlike the time at which the fact was done."""
    keyless = and_(OutboxFact.unique_key.is_(None), OutboxFact.id < _first_id_of(before))
    await connection.execute(
        delete(OutboxFact).where(
            OutboxFact.state == FactState.DONE,
            OutboxFact.id < _first_id_of(before),
            or_(keyless, OutboxFact.id < _first_id_of(keyed_before)),
        )
    )


async def forget_settled_events(connection: AsyncConnection, *, before: datetime) -> None:
    settled = WebhookEvent.status.in_([WebhookStatus.PROCESSED, WebhookStatus.IGNORED])
    await connection.execute(delete(WebhookEvent).where(settled, WebhookEvent.id < _first_id_of(before)))


async def forget_ended_leases(connection: AsyncConnection, *, before: datetime) -> None:
    """Those of processes that were killed, on objects that nobody has looked at since."""
    await connection.execute(delete(ObjectLease).where(ObjectLease.expires_at < before))


def _first_id_of(moment: datetime) -> UUID:
    """The smallest UUIDv7 of that millisecond (RFC 9562, 5.7: the first 48 bits are Unix milliseconds)."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
