"""Blocks of API calls: reserved for a process, and settled once, whoever does it and however often.

A block expires with its month and not before: how much of it a process that died had used, only that one's
journal knows, and what was given back on a guess might be used twice.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import UsageCounter, UsageReservation
from app.db.repositories import quotas
from app.domain.call_blocks import block_size
from app.domain.periods import Period
from app.domain.plans import Resource
from app.domain.quota import Meter
from app.domain.usage import ReservationState
from app.domain.viewer import Allowance

CALL = Resource.API_CALL


async def take(
    connection: AsyncConnection,
    allowance: Allowance,
    block_id: UUID,
    *,
    recent: int,
    amount: int,
    now: datetime,
) -> tuple[int, Meter]:
    """(the size of the block that was reserved, or 0 for none; the account without it)."""
    before = await quotas.hold(connection, allowance, CALL, now=now)
    size = block_size(recent=recent, amount=amount, meter=before)
    if size:
        assert before.period is not None
        await quotas.admit(connection, allowance, CALL, now=now, reserved=size)
        await connection.execute(
            insert(UsageReservation).values(
                id=block_id,
                user_id=allowance.user_id,
                resource=CALL,
                period_start=before.period.start,
                amount=size,
                state=ReservationState.HELD,
                created_at=now,
                expires_at=before.period.end,
            )
        )
    return size, before


async def settle(
    connection: AsyncConnection, block_id: UUID, *, used: int, limit: int | None, now: datetime
) -> bool:
    """Counts ``used`` calls as one event and gives the rest back; False when there is no such block any more.

    The row goes with it: there is one a second of a busy account, and nothing more to learn from it.
    """
    ended = delete(UsageReservation).where(UsageReservation.id == block_id)
    block = (
        await connection.execute(
            ended.returning(
                UsageReservation.user_id,
                UsageReservation.period_start,
                UsageReservation.amount,
                UsageReservation.state,
                UsageReservation.expires_at,
            )
        )
    ).one_or_none()
    if block is None:
        return False
    held = block.amount if block.state == ReservationState.HELD else 0  # expired: it has been given back
    counted = (
        update(UsageCounter)
        .where(
            UsageCounter.user_id == block.user_id,
            UsageCounter.resource == CALL,
            UsageCounter.period_start == block.period_start,
        )
        .values(used=UsageCounter.used + used, reserved=UsageCounter.reserved - held)
        .returning(UsageCounter.used, UsageCounter.reserved)
    )
    row = (await connection.execute(counted)).one()
    if used:
        period = Period(block.period_start, block.expires_at)
        at = min(now, period.end - timedelta(microseconds=1))
        meter = Meter(CALL, used=row.used, reserved=row.reserved, limit=limit, period=period)
        await quotas.record(connection, block.user_id, meter, used, occurred_at=at, now=now)
    return True
