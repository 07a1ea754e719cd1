"""Usage: events as other services report them, and whether the sums are right."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database
from app.db.repositories import quotas, usage_reports
from app.domain.errors import (
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
    counting_moment,
    waves,
)
from app.domain.viewer import Allowance

WAVE = 250
"""Events a transaction: on SQLite everybody else waits for as long as these take."""

Indexed = Sequence[tuple[int, ReportedEvent]]
Outcomes = dict[str, Outcome | DomainError]


@dataclass(frozen=True)
class _Dated:
    """An event that may count, and the moment that says in which month."""

    event: ReportedEvent
    allowance: Allowance
    at: datetime

    @property
    def period_start(self) -> datetime:
        anchor_at = self.allowance.anchor_at
        return quotas.start_of(quotas.period_of(self.event.resource, anchor_at=anchor_at, now=self.at))


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
) -> Outcomes:
    """What became of each event id, in one transaction."""
    outcomes: Outcomes = {}
    sound = [event for _, event in wave if not _refused(event, outcomes, now=now)]
    async with database.transaction() as connection:
        dated = await _dated(connection, plans, sound, outcomes)
        new = await _add_new(connection, dated, reporter_id=reporter_id, now=now)
        repeated = [each.event for each in dated if each.event.event_id not in new]
        outcomes |= await _compare(connection, repeated, reporter_id=reporter_id)
        added = [each for each in dated if each.event.event_id in new]
        outcomes |= await _count(connection, added, reporter_id=reporter_id, now=now)
    return outcomes


def _refused(event: ReportedEvent, outcomes: Outcomes, *, now: datetime) -> bool:
    try:
        check_event(event, now=now)
    except InvalidInput as error:
        outcomes[event.event_id] = error
        return True
    return False


async def _dated(
    connection: AsyncConnection,
    plans: Mapping[Tier, Plan],
    events: Sequence[ReportedEvent],
    outcomes: Outcomes,
) -> list[_Dated]:
    """The events of accounts that were there when they occurred."""
    user_ids = sorted({event.user_id for event in events if event.user_id is not None})
    found = await usage_reports.metered(connection, user_ids) if user_ids else []
    accounts, dated = {row.id: row for row in found}, []
    for event in events:
        try:
            dated.append(_date(event, accounts.get(event.user_id), plans))
        except (InvalidInput, NotFound) as error:
            outcomes[event.event_id] = error
    return dated


def _date(event: ReportedEvent, account: Row[Any] | None, plans: Mapping[Tier, Plan]) -> _Dated:
    if account is None:
        raise NotFound("An account with this id", field="userId")
    at = counting_moment(event, created_at=account.created_at, anchor_at=account.anchor_at)
    limits = plans[Tier(account.tier)].limits
    return _Dated(event, Allowance(user_id=account.id, limits=limits, anchor_at=account.anchor_at), at)


async def _add_new(
    connection: AsyncConnection, dated: Sequence[_Dated], *, reporter_id: UUID, now: datetime
) -> set[str]:
    if not dated:
        return set()
    rows = [(each.event, each.period_start) for each in dated]
    return await usage_reports.add_new(connection, rows, reporter_id=reporter_id, now=now)


async def _compare(
    connection: AsyncConnection, events: Sequence[ReportedEvent], *, reporter_id: UUID
) -> Outcomes:
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
    connection: AsyncConnection, dated: Sequence[_Dated], *, reporter_id: UUID, now: datetime
) -> Outcomes:
    """Raises the counters; the events that do not fit within a limit are taken back."""
    groups: dict[tuple[UUID, Resource, datetime], list[_Dated]] = defaultdict(list)
    for each in dated:
        groups[each.allowance.user_id, each.event.resource, each.period_start].append(each)
    outcomes: Outcomes = {}
    for _, group in sorted(groups.items()):  # one order for all, so that none waits in a circle
        outcomes |= await _count_group(connection, group, now=now)
    refused = [event_id for event_id, outcome in outcomes.items() if isinstance(outcome, DomainError)]
    if refused:
        await usage_reports.take_back(connection, reporter_id=reporter_id, event_ids=refused)
    return outcomes


async def _count_group(connection: AsyncConnection, group: Sequence[_Dated], *, now: datetime) -> Outcomes:
    """Events of one counter: at once where all of them fit, else those that do, in their order."""
    try:
        await _admit(connection, group, now=now)
    except QuotaExceeded:
        first = group[0]
        meter = await quotas.hold(connection, first.allowance, first.event.resource, now=first.at)
        outcomes = _fitted(group, meter)
        fitting = [each for each in group if outcomes[each.event.event_id] is Outcome.RECORDED]
        if fitting:
            await _admit(connection, fitting, now=now)
        return outcomes
    return dict.fromkeys([each.event.event_id for each in group], Outcome.RECORDED)


def _fitted(group: Sequence[_Dated], meter: Meter) -> Outcomes:
    used, limit, outcomes = meter.used + meter.reserved, meter.limit or 0, Outcomes()
    resets_at = meter.period.end if meter.period else None
    for event in (each.event for each in group):
        if used + event.amount <= limit:
            used += event.amount
            outcomes[event.event_id] = Outcome.RECORDED
        else:
            outcomes[event.event_id] = QuotaExceeded(
                resource=event.resource, used=used, limit=limit, resets_at=resets_at
            )
    return outcomes


async def _admit(connection: AsyncConnection, group: Sequence[_Dated], *, now: datetime) -> None:
    total, first = sum(each.event.amount for each in group), group[0]
    meter = await quotas.admit(connection, first.allowance, first.event.resource, now=first.at, used=total)
    await quotas.tell_thresholds(connection, first.allowance.user_id, meter, total, now=now)


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
