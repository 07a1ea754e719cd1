"""Reservations: an amount of a quota promised until it is committed, released, or expires."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import UsageCounter, UsageEvent, UsageReservation
from app.db.repositories import quotas
from app.db.rows import Row
from app.domain.plans import Resource
from app.domain.usage import ReservationState
from app.domain.viewer import Allowance

EXPIRED_AT_ONCE = 500
"""Promises a transaction: on SQLite everybody else waits for as long as these take."""

_RESERVATION = (
    UsageReservation.user_id,
    UsageReservation.resource,
    UsageReservation.period_start,
    UsageReservation.amount,
)


async def reserve(
    connection: AsyncConnection,
    allowance: Allowance,
    resource: Resource,
    amount: int,
    *,
    expires_at: datetime,
    now: datetime,
) -> UUID:
    """Promises ``amount`` (1 or more). Raises QuotaExceeded."""
    await expire(connection, now=now, user_id=allowance.user_id, resource=resource)
    meter = await quotas.admit(connection, allowance, resource, now=now, reserved=amount)
    await quotas.tell_thresholds(connection, allowance.user_id, meter, amount, now=now)
    reservation_id = new_id()
    await connection.execute(
        insert(UsageReservation).values(
            id=reservation_id,
            user_id=allowance.user_id,
            resource=resource,
            period_start=quotas.start_of(meter.period),
            amount=amount,
            state=ReservationState.HELD,
            created_at=now,
            expires_at=expires_at,
        )
    )
    return reservation_id


async def commit(connection: AsyncConnection, reservation_id: UUID, *, now: datetime) -> bool:
    """Turns what was promised into usage, once; False when it is not held any more."""
    settled = await _settle(connection, reservation_id, ReservationState.COMMITTED)
    if settled is None:
        return False
    await _unreserve(connection, settled, used=settled.amount)
    await _note(connection, settled, settled.amount, now=now)
    return True


async def _note(connection: AsyncConnection, reservation: Row, amount: int, *, now: datetime) -> None:
    await connection.execute(
        insert(UsageEvent).values(
            id=new_id(),
            user_id=reservation.user_id,
            resource=reservation.resource,
            amount=amount,
            period_start=reservation.period_start,
            occurred_at=now,
            recorded_at=now,
        )
    )


async def use(connection: AsyncConnection, reservation_id: UUID, *, now: datetime) -> None:
    """Counts what was promised as used, also when it was given back meanwhile: whatever the limit is.

    For what was paid for: the money is there, and the promise was kept once.
    """
    if await commit(connection, reservation_id, now=now):
        return
    given_back = (ReservationState.RELEASED, ReservationState.EXPIRED)
    again = await _turn(connection, reservation_id, given_back, ReservationState.COMMITTED)
    if again is not None:
        await _count(connection, again, again.amount, now=now)


async def take_back(connection: AsyncConnection, reservation_id: UUID, *, now: datetime) -> None:
    """Gives back what was used, in the period in which it was."""
    used = (ReservationState.COMMITTED,)
    undone = await _turn(connection, reservation_id, used, ReservationState.RELEASED)
    if undone is not None:
        await _count(connection, undone, -undone.amount, now=now)


async def _count(connection: AsyncConnection, reservation: Row, amount: int, *, now: datetime) -> None:
    await _change_counter(connection, reservation, used=amount, reserved=0)
    await _note(connection, reservation, amount, now=now)


async def release(connection: AsyncConnection, reservation_id: UUID) -> bool:
    """Gives back what was promised, once; False when it is not held any more."""
    settled = await _settle(connection, reservation_id, ReservationState.RELEASED)
    if settled is not None:
        await _unreserve(connection, settled, used=0)
    return settled is not None


async def extend(connection: AsyncConnection, reservation_id: UUID, *, expires_at: datetime) -> bool:
    """Keeps a promise alive while its work runs; False when it is not held any more."""
    statement = update(UsageReservation).where(
        UsageReservation.id == reservation_id, UsageReservation.state == ReservationState.HELD
    )
    return (await connection.execute(statement.values(expires_at=expires_at))).rowcount == 1


async def expire(
    connection: AsyncConnection,
    *,
    now: datetime,
    user_id: UUID | None = None,
    resource: Resource | None = None,
    limit: int = EXPIRED_AT_ONCE,
) -> int:
    """Gives back what was promised and neither committed nor released in time; returns how many.

    The oldest first, ``limit`` at most; their counters always in one order, so that none waits in a circle.
    """
    due = select(UsageReservation.id).where(
        UsageReservation.state == ReservationState.HELD, UsageReservation.expires_at <= now
    )
    if user_id is not None:
        due = due.where(UsageReservation.user_id == user_id, UsageReservation.resource == resource)
    due = due.order_by(UsageReservation.expires_at).limit(limit).with_for_update(skip_locked=user_id is None)
    statement = (
        update(UsageReservation)
        .where(UsageReservation.id.in_((await connection.execute(due)).scalars().all()))
        .values(state=ReservationState.EXPIRED)
        .returning(*_RESERVATION)
    )
    expired = (await connection.execute(statement)).all()
    for reservation in sorted(expired, key=_counter):
        await _unreserve(connection, reservation, used=0)
    return len(expired)


def _counter(reservation: Row) -> tuple[UUID, str, datetime]:
    return reservation.user_id, reservation.resource, reservation.period_start


async def _settle(connection: AsyncConnection, reservation_id: UUID, state: ReservationState) -> Row | None:
    return await _turn(connection, reservation_id, (ReservationState.HELD,), state)


async def _turn(
    connection: AsyncConnection,
    reservation_id: UUID,
    before: tuple[ReservationState, ...],
    state: ReservationState,
) -> Row | None:
    statement = (
        update(UsageReservation)
        .where(UsageReservation.id == reservation_id, UsageReservation.state.in_(before))
        .values(state=state)
        .returning(*_RESERVATION)
    )
    return (await connection.execute(statement)).one_or_none()


async def _unreserve(connection: AsyncConnection, reservation: Row, *, used: int) -> None:
    await _change_counter(connection, reservation, used=used, reserved=-reservation.amount)


async def _change_counter(connection: AsyncConnection, reservation: Row, *, used: int, reserved: int) -> None:
    await connection.execute(
        update(UsageCounter)
        .where(
            UsageCounter.user_id == reservation.user_id,
            UsageCounter.resource == reservation.resource,
            UsageCounter.period_start == reservation.period_start,
        )
        .values(reserved=UsageCounter.reserved + reserved, used=UsageCounter.used + used)
    )
