"""Rows that are kept for a time only: answers to repeat, facts that were acted on."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import IdempotencyKey, OutboxFact
from app.domain.outbox import FactState


async def forget_idempotency_keys(connection: AsyncConnection, *, before: datetime) -> None:
    await connection.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < before))


async def forget_done_facts(connection: AsyncConnection, *, before: datetime) -> None:
    """By the age in the id, which is indexed, unlike the time at which the fact was done."""
    await connection.execute(
        delete(OutboxFact).where(OutboxFact.state == FactState.DONE, OutboxFact.id < _first_id_of(before))
    )


def _first_id_of(moment: datetime) -> UUID:
    """The smallest UUIDv7 of that millisecond (RFC 9562, 5.7: the first 48 bits are Unix milliseconds)."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
