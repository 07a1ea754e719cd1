"""Usage: API calls as they are counted, events as other services report them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database
from app.db.repositories import quotas, usage_reports
from app.domain.errors import (
    CallQuotaExceeded,
    DomainError,
    IdempotencyMismatch,
    InvalidInput,
    NotFound,
    QuotaExceeded,
)
from app.domain.plans import Plan, Resource, Tier
from app.domain.quota import Meter
from app.domain.usage_reports import (
    MAX_EVENTS,
    EventResult,
    Outcome,
    ReportedEvent,
    check_event,
    waves,
)
from app.domain.viewer import Allowance

WAVE = 250
"""Events a transaction: on SQLite everybody else waits for as long as these take."""

Indexed = Sequence[tuple[int, ReportedEvent]]


async def count_calls(*, database: Database, allowance: Allowance, amount: int, now: datetime) -> Meter:
    """Uses ``amount`` (1 or more) of the month's API calls, whole or not at all. Raises CallQuotaExceeded."""
    try:
        async with database.transaction() as connection:
            return await quotas.consume(connection, allowance, Resource.API_CALL, amount, now=now)
    except QuotaExceeded as refusal:
        raise CallQuotaExceeded(
            resource=refusal.resource, used=refusal.used, limit=refusal.limit, resets_at=refusal.resets_at
        ) from None


async def record_batch(
    *,
    database: Database,
    plans: Mapping[Tier, Plan],
    reporter_id: UUID,
    events: Sequence[ReportedEvent],
    now: datetime,
) -> list[EventResult]:
    """An answer for each event, in their order; the refused ones do not hold up the others.

    An event counts once per reporter and event id, in the month in which it occurred. Raises InvalidInput for
    a batch that is empty or too large.
    """
    if not 1 <= len(events) <= MAX_EVENTS:
        raise InvalidInput("events", f"Send 1 to {MAX_EVENTS} events at a time, not {len(events)}.")
    results: dict[int, EventResult] = {}
    for positions in waves(list(events), size=WAVE):
        wave = [(position, events[position]) for position in positions]
        results |= _answers(wave, await _record_wave(database, plans, reporter_id, wave, now=now))
    return [results[position] for position in range(len(events))]


async def _record_wave(
    database: Database,
    plans: Mapping[Tier, Plan],
    reporter_id: UUID,
    wave: Indexed,
    *,
    now: datetime,
) -> dict[str, Outcome | DomainError]:
    """What became of each event id, in one transaction."""
    outcomes: dict[str, Outcome | DomainError] = {}
    sound = [event for _, event in wave if not _refused(event, outcomes, now=now)]
    async with database.transaction() as connection:
        allowances = await _allowances(connection, plans, sound)
        known = [event for event in sound if _is_known(event, allowances, outcomes)]
        new = await _add_new(connection, known, allowances, reporter_id=reporter_id, now=now)
        repeated = [event for event in known if event.event_id not in new]
        outcomes |= await _compare(connection, repeated, reporter_id=reporter_id)
        added = [event for event in known if event.event_id in new]
        outcomes |= await _count(connection, added, allowances, reporter_id=reporter_id, now=now)
    return outcomes


def _refused(event: ReportedEvent, outcomes: dict[str, Outcome | DomainError], *, now: datetime) -> bool:
    try:
        check_event(event, now=now)
    except InvalidInput as error:
        outcomes[event.event_id] = error
        return True
    return False


async def _allowances(
    connection: AsyncConnection, plans: Mapping[Tier, Plan], events: Sequence[ReportedEvent]
) -> dict[UUID, Allowance]:
    user_ids = sorted({event.user_id for event in events if event.user_id is not None})
    return {
        row.id: Allowance(user_id=row.id, limits=plans[Tier(row.tier)].limits, anchor_at=row.anchor_at)
        for row in (await usage_reports.metered(connection, user_ids) if user_ids else [])
    }


def _is_known(
    event: ReportedEvent,
    allowances: Mapping[UUID, Allowance],
    outcomes: dict[str, Outcome | DomainError],
) -> bool:
    if event.user_id in allowances:
        return True
    outcomes[event.event_id] = NotFound("An account with this id", field="userId")
    return False


async def _add_new(
    connection: AsyncConnection,
    events: Sequence[ReportedEvent],
    allowances: Mapping[UUID, Allowance],
    *,
    reporter_id: UUID,
    now: datetime,
) -> set[str]:
    if not events:
        return set()
    dated = [(event, _period_start(event, allowances)) for event in events]
    return await usage_reports.add_new(connection, dated, reporter_id=reporter_id, now=now)


def _period_start(event: ReportedEvent, allowances: Mapping[UUID, Allowance]) -> datetime:
    assert event.user_id is not None
    anchor_at = allowances[event.user_id].anchor_at
    return quotas.start_of(quotas.period_of(event.resource, anchor_at=anchor_at, now=event.occurred_at))


async def _compare(
    connection: AsyncConnection, events: Sequence[ReportedEvent], *, reporter_id: UUID
) -> dict[str, Outcome | DomainError]:
    """The events whose ids are taken: said again, or another event under an old name."""
    if not events:
        return {}
    event_ids = [event.event_id for event in events]
    earlier = await usage_reports.stored(connection, reporter_id=reporter_id, event_ids=event_ids)
    return {
        event.event_id: Outcome.DUPLICATE if _same(event, earlier[event.event_id]) else IdempotencyMismatch()
        for event in events
    }


def _same(event: ReportedEvent, row: Row[Any]) -> bool:
    said = (event.user_id, event.resource, event.amount, event.occurred_at)
    return said == (row.user_id, row.resource, row.amount, row.occurred_at)


async def _count(
    connection: AsyncConnection,
    events: Sequence[ReportedEvent],
    allowances: Mapping[UUID, Allowance],
    *,
    reporter_id: UUID,
    now: datetime,
) -> dict[str, Outcome | DomainError]:
    """Raises the counters; the events that do not fit within a limit are taken back."""
    groups: dict[tuple[UUID, Resource, datetime], list[ReportedEvent]] = defaultdict(list)
    for event in events:
        assert event.user_id is not None
        groups[event.user_id, event.resource, _period_start(event, allowances)].append(event)
    outcomes: dict[str, Outcome | DomainError] = {}
    for (user_id, _, _), group in sorted(groups.items()):  # one order for all, so that none waits in a circle
        outcomes |= await _count_group(connection, group, allowances[user_id], now=now)
    refused = [event_id for event_id, outcome in outcomes.items() if isinstance(outcome, DomainError)]
    if refused:
        await usage_reports.take_back(connection, reporter_id=reporter_id, event_ids=refused)
    return outcomes


async def _count_group(
    connection: AsyncConnection, group: Sequence[ReportedEvent], allowance: Allowance, *, now: datetime
) -> dict[str, Outcome | DomainError]:
    """Events of one counter: at once where all of them fit, else one after the other."""
    refusal = await _admit(connection, group, allowance, now=now)
    if refusal is None:
        return dict.fromkeys([event.event_id for event in group], Outcome.RECORDED)
    if len(group) == 1:
        return {group[0].event_id: refusal}
    outcomes: dict[str, Outcome | DomainError] = {}
    for event in group:
        outcomes[event.event_id] = await _admit(connection, [event], allowance, now=now) or Outcome.RECORDED
    return outcomes


async def _admit(
    connection: AsyncConnection, group: Sequence[ReportedEvent], allowance: Allowance, *, now: datetime
) -> QuotaExceeded | None:
    total, first = sum(event.amount for event in group), group[0]
    try:
        meter = await quotas.admit(connection, allowance, first.resource, now=first.occurred_at, used=total)
    except QuotaExceeded as refusal:
        return refusal
    await quotas.tell_thresholds(connection, allowance.user_id, meter, total, now=now)
    return None


def _answers(wave: Indexed, outcomes: Mapping[str, Outcome | DomainError]) -> dict[int, EventResult]:
    return {position: _answer(position, event, outcomes[event.event_id]) for position, event in wave}


def _answer(position: int, event: ReportedEvent, outcome: Outcome | DomainError) -> EventResult:
    if not isinstance(outcome, DomainError):
        return EventResult(event.event_id, outcome)
    field = ("eventId",) if isinstance(outcome, IdempotencyMismatch) else outcome.path[1:]
    outcome.path = ("input", "events", str(position), *field)
    return EventResult(event.event_id, Outcome.REFUSED, outcome)


async def drift(*, database: Database, limit: int = 1000) -> list[Row[Any]]:
    """Counters that differ from their events or reservations: none, unless something is wrong.

    Rows of (user_id, resource, period_start, used, recorded, reserved, held).
    """
    async with database.read() as connection:
        return await usage_reports.drift(connection, limit=limit)
