"""Usage as other services report it: counted once, in its month, within the plan."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from app.db.database import Database
from app.db.models import OutboxFact, UsageCounter, UsageEvent
from app.db.repositories import quotas
from app.domain.errors import InvalidInput
from app.domain.outbox import Topic
from app.domain.plans import Plan, Resource, Tier
from app.domain.usage_reports import EventResult, Outcome, ReportedEvent
from app.services import usage
from tests.support.factories import NOW, make_user
from tests.support.statements import counted

LIMITS: dict[Resource, int | None] = {
    Resource.API_CALL: 1000,
    Resource.TEMPLATE_INSTALL: 5,
    Resource.CONCURRENT_INSTALLATION: 2,
    Resource.STORAGE_BYTES: 10**9,
}
PLANS = {
    Tier.FREE: Plan(Tier.FREE, "Free", "For a start", None, LIMITS),
    Tier.PRO: Plan(Tier.PRO, "Pro", "For a business", None, dict.fromkeys(Resource, 100_000)),
    Tier.ENTERPRISE: Plan(Tier.ENTERPRISE, "Enterprise", "For all", None, dict.fromkeys(Resource, None)),
}


def event(user: SimpleNamespace, event_id: str = "e-1", **given: Any) -> ReportedEvent:
    values = {"resource": Resource.API_CALL, "amount": 1, "occurred_at": NOW, "user_id": user.id}
    return ReportedEvent(event_id=event_id, **{**values, **given})


class Reporting:
    """One reporter and one account on the free plan."""

    def __init__(self, database: Database, reporter: SimpleNamespace, user: SimpleNamespace) -> None:
        self.database, self.reporter, self.user = database, reporter, user

    async def send(self, *events: ReportedEvent, now: datetime = NOW) -> list[EventResult]:
        return await usage.record_batch(
            database=self.database, plans=PLANS, reporter_id=self.reporter.id, events=events, now=now
        )

    async def outcomes(self, *events: ReportedEvent) -> list[Outcome]:
        return [result.outcome for result in await self.send(*events)]

    async def counted(self, resource: Resource = Resource.API_CALL) -> dict[datetime, int]:
        statement = select(UsageCounter.period_start, UsageCounter.used).where(
            UsageCounter.user_id == self.user.id, UsageCounter.resource == resource
        )
        async with self.database.read() as connection:
            return {row.period_start: row.used for row in (await connection.execute(statement)).all()}

    async def stored(self) -> int:
        statement = select(func.count()).select_from(UsageEvent).where(UsageEvent.reporter_id.is_not(None))
        async with self.database.read() as connection:
            return (await connection.execute(statement)).scalar_one()


@pytest.fixture
async def reporting(database: Database) -> Reporting:
    return Reporting(database, await make_user(database, role="admin"), await make_user(database))


async def test_an_event_counts_once_across_batches(reporting: Reporting) -> None:
    first = event(reporting.user, amount=7)
    assert await reporting.outcomes(first) == [Outcome.RECORDED]
    assert await reporting.outcomes(first) == [Outcome.DUPLICATE]
    assert await reporting.counted() == {NOW: 7}
    assert await reporting.stored() == 1


async def test_an_event_counts_once_within_a_batch(reporting: Reporting) -> None:
    first, other = event(reporting.user, amount=7), event(reporting.user, "e-2", amount=2)
    outcomes = await reporting.outcomes(first, other, first, first)
    assert outcomes == [Outcome.RECORDED, Outcome.RECORDED, Outcome.DUPLICATE, Outcome.DUPLICATE]
    assert await reporting.counted() == {NOW: 9}


async def test_an_event_counts_once_in_batches_at_the_same_time(reporting: Reporting) -> None:
    events = [event(reporting.user, f"e-{n}") for n in range(100)]
    batches = [events, events[::-1], events[50:] + events[:50], events]
    answers = await asyncio.gather(*(reporting.send(*batch) for batch in batches))
    outcomes = [result.outcome for answer in answers for result in answer]
    assert outcomes.count(Outcome.RECORDED) == 100
    assert outcomes.count(Outcome.DUPLICATE) == 300
    assert await reporting.counted() == {NOW: 100}


async def test_two_reporters_name_their_events_apart(reporting: Reporting) -> None:
    other = Reporting(reporting.database, await make_user(reporting.database, role="admin"), reporting.user)
    assert await reporting.outcomes(event(reporting.user)) == [Outcome.RECORDED]
    assert await other.outcomes(event(reporting.user)) == [Outcome.RECORDED]
    assert await reporting.counted() == {NOW: 2}


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 2},
        {"resource": Resource.TEMPLATE_INSTALL},
        {"occurred_at": NOW + timedelta(microseconds=1)},
    ],
)
async def test_another_event_under_an_old_name_is_refused(
    reporting: Reporting, change: dict[str, Any]
) -> None:
    first = event(reporting.user)
    (_, refused) = await reporting.send(first, replace(first, **change))
    assert (refused.outcome, refused.error and refused.error.code) == (
        Outcome.REFUSED,
        "IDEMPOTENCY_KEY_REUSED",
    )
    assert refused.error is not None
    assert refused.error.path == ("input", "events", "1", "eventId")
    assert await reporting.counted() == {NOW: 1}
    assert await reporting.counted(Resource.TEMPLATE_INSTALL) == {}


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"amount": 0}, "BAD_USER_INPUT", "amount"),
        ({"amount": -5}, "BAD_USER_INPUT", "amount"),
        ({"amount": 10**9 + 1}, "BAD_USER_INPUT", "amount"),
        ({"resource": Resource.STORAGE_BYTES}, "BAD_USER_INPUT", "resource"),
        ({"resource": Resource.CONCURRENT_INSTALLATION}, "BAD_USER_INPUT", "resource"),
        ({"occurred_at": NOW + timedelta(minutes=5, seconds=1)}, "BAD_USER_INPUT", "occurredAt"),
        ({"occurred_at": NOW - timedelta(days=35, seconds=1)}, "BAD_USER_INPUT", "occurredAt"),
        ({"event_id": ""}, "BAD_USER_INPUT", "eventId"),
        ({"event_id": "x" * 256}, "BAD_USER_INPUT", "eventId"),
        ({"event_id": "a\x00b"}, "BAD_USER_INPUT", "eventId"),
        ({"event_id": "\ud800"}, "BAD_USER_INPUT", "eventId"),
        ({"user_id": None}, "BAD_USER_INPUT", "userId"),
        ({"user_id": "unknown"}, "NOT_FOUND", "userId"),
    ],
)
async def test_a_wrong_event_is_refused_and_the_others_go_on(
    reporting: Reporting, change: dict[str, Any], code: str, field: str
) -> None:
    if change.get("user_id") == "unknown":
        change = {"user_id": reporting.user.id.__class__(int=1)}
    wrong = replace(event(reporting.user, "wrong"), **change)
    results = await reporting.send(event(reporting.user, "a"), wrong, event(reporting.user, "b"))
    assert [result.outcome for result in results] == [Outcome.RECORDED, Outcome.REFUSED, Outcome.RECORDED]
    error = results[1].error
    assert error is not None
    assert (error.code, error.path) == (code, ("input", "events", "1", field))
    assert await reporting.counted() == {NOW: 2}
    assert await reporting.stored() == 2


async def test_the_edges_of_time_and_amount_are_admitted(reporting: Reporting) -> None:
    began = NOW - timedelta(days=40)
    pro = await make_user(reporting.database, tier=Tier.ENTERPRISE, created_at=began, anchor_at=began)
    edges = [
        event(pro, "future", occurred_at=NOW + timedelta(minutes=5)),
        event(pro, "old", occurred_at=NOW - timedelta(days=35)),
        event(pro, "large", amount=10**9),
        event(pro, "x" * 255),
    ]
    assert await reporting.outcomes(*edges) == [Outcome.RECORDED] * 4


async def test_a_deleted_account_uses_nothing(reporting: Reporting) -> None:
    gone = await make_user(reporting.database, deleted_at=NOW, password_hash="")
    (result,) = await reporting.send(event(gone))
    assert (result.outcome, result.error and result.error.code) == (Outcome.REFUSED, "NOT_FOUND")
    assert await reporting.stored() == 0


async def test_an_event_counts_in_the_month_in_which_it_occurred(reporting: Reporting) -> None:
    last_month = datetime(2025, 12, 15, 12, tzinfo=UTC)
    reporting.user = await make_user(reporting.database, created_at=last_month, anchor_at=last_month)
    outcomes = await reporting.outcomes(
        event(reporting.user, "now", amount=2),
        event(reporting.user, "then", amount=3, occurred_at=NOW - timedelta(seconds=1)),
    )
    assert outcomes == [Outcome.RECORDED, Outcome.RECORDED]
    assert await reporting.counted() == {NOW: 2, last_month: 3}


async def test_an_account_has_no_quota_of_a_month_before_it_was(reporting: Reporting) -> None:
    """Clocks may differ by minutes; what is older than its account is a mistake."""
    installs = [
        event(reporting.user, f"e-{n}", resource=Resource.TEMPLATE_INSTALL, amount=5, occurred_at=NOW - ago)
        for n, ago in enumerate([timedelta(0), timedelta(minutes=5), timedelta(minutes=5, seconds=1)])
    ]
    results = await reporting.send(*installs)
    assert [(result.outcome, result.error and result.error.code) for result in results] == [
        (Outcome.RECORDED, None),
        (Outcome.REFUSED, "QUOTA_EXCEEDED"),
        (Outcome.REFUSED, "BAD_USER_INPUT"),
    ]
    assert results[2].error is not None
    assert results[2].error.path == ("input", "events", "2", "occurredAt")
    assert await reporting.counted(Resource.TEMPLATE_INSTALL) == {NOW: 5}
    assert await usage.drift(database=reporting.database) == []


async def test_a_full_batch_over_the_limit_asks_the_counter_once_a_wave(reporting: Reporting) -> None:
    events = [event(reporting.user, f"e-{n}", amount=n % 3 + 1) for n in range(1000)]
    with counted(reporting.database) as statements:
        results = await reporting.send(*events)
    assert len(statements) < 60
    used, expected = 0, []
    for each in events:
        expected.append(Outcome.RECORDED if used + each.amount <= 1000 else Outcome.REFUSED)
        used += each.amount if expected[-1] is Outcome.RECORDED else 0
    assert [result.outcome for result in results] == expected
    assert await reporting.counted() == {NOW: 1000}
    assert await reporting.stored() == expected.count(Outcome.RECORDED)
    assert await usage.drift(database=reporting.database) == []


async def test_batches_over_the_limit_at_once_fill_it_exactly(reporting: Reporting) -> None:
    batches = [[event(reporting.user, f"{b}-{n}", amount=7) for n in range(100)] for b in range(4)]
    answers = await asyncio.gather(*(reporting.send(*batch) for batch in batches))
    outcomes = [result.outcome for answer in answers for result in answer]
    assert outcomes.count(Outcome.RECORDED) == 142
    assert await reporting.counted() == {NOW: 994}
    assert await usage.drift(database=reporting.database) == []


async def test_the_limit_refuses_the_events_beyond_it_one_by_one(reporting: Reporting) -> None:
    installs = [
        event(reporting.user, f"e-{n}", resource=Resource.TEMPLATE_INSTALL, amount=amount)
        for n, amount in enumerate([3, 4, 2, 1])
    ]
    results = await reporting.send(*installs, event(reporting.user, "call"))
    assert [result.outcome for result in results] == [
        Outcome.RECORDED,
        Outcome.REFUSED,
        Outcome.RECORDED,
        Outcome.REFUSED,
        Outcome.RECORDED,
    ]
    facts = {"resource": "TEMPLATE_INSTALL", "limit": 5, "resetsAt": "2026-02-15T12:00:00.000Z"}
    assert [result.error.facts() if result.error else None for result in results] == [
        None,
        {**facts, "used": 3},
        None,
        {**facts, "used": 5},
        None,
    ]
    assert await reporting.counted(Resource.TEMPLATE_INSTALL) == {NOW: 5}
    assert await reporting.stored() == 3


async def test_a_refused_event_may_be_sent_again(reporting: Reporting) -> None:
    large = event(reporting.user, amount=1001)
    assert await reporting.outcomes(large, large) == [Outcome.REFUSED, Outcome.REFUSED]
    assert await reporting.outcomes(replace(large, amount=1000)) == [Outcome.RECORDED]
    assert await reporting.counted() == {NOW: 1000}


async def test_the_thresholds_are_told_once_for_a_batch(reporting: Reporting) -> None:
    events = [event(reporting.user, f"e-{n}", amount=100) for n in range(10)]
    await reporting.send(*events)
    await reporting.send(*events)
    statement = select(OutboxFact.topic, OutboxFact.payload).order_by(OutboxFact.id)
    async with reporting.database.read() as connection:
        facts = (await connection.execute(statement)).all()
    assert [(fact.topic, fact.payload["percent"]) for fact in facts] == [
        (Topic.QUOTA_NEAR, 80),
        (Topic.QUOTA_REACHED, 100),
    ]


@pytest.mark.parametrize("size", [0, 1001])
async def test_a_batch_of_the_wrong_size_stores_nothing(reporting: Reporting, size: int) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await reporting.send(*[event(reporting.user, f"e-{n}") for n in range(size)])
    assert refusal.value.path == ("input", "events")
    assert await reporting.stored() == 0


async def test_a_full_batch_over_many_accounts_is_answered_in_order(reporting: Reporting) -> None:
    users = [await make_user(reporting.database) for _ in range(10)]
    events = [event(users[n % 10], f"e-{n}", amount=n % 7 + 1) for n in range(1000)]
    results = await reporting.send(*events)
    assert [result.event_id for result in results] == [each.event_id for each in events]
    assert {result.outcome for result in results} == {Outcome.RECORDED}
    assert await usage.drift(database=reporting.database) == []


async def test_drift_names_the_counters_that_are_wrong(reporting: Reporting) -> None:
    await reporting.send(event(reporting.user, amount=7))
    async with reporting.database.transaction() as connection:
        await quotas.record_registration(connection, user_id=reporting.user.id, now=NOW)
    assert await usage.drift(database=reporting.database) == []
    gauge = {"user_id": reporting.user.id, "resource": Resource.STORAGE_BYTES}
    async with reporting.database.transaction() as connection:
        await connection.execute(update(UsageCounter).values(used=8))
        await connection.execute(insert(UsageCounter).values(**gauge, period_start=NOW, used=0, reserved=3))
    rows = await usage.drift(database=reporting.database)
    assert [(row.resource, row.used, row.recorded, row.reserved, row.held) for row in rows] == [
        (Resource.API_CALL, 8, 7, 0, 0),
        (Resource.STORAGE_BYTES, 0, 0, 3, 0),
    ]
    assert {(row.user_id, row.period_start) for row in rows} == {(reporting.user.id, NOW)}
