"""Quotas are exact: with many callers, with several processes, when one is killed, and over any history."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from app.db.database import Database
from app.db.models import OutboxFact, UsageCounter, UsageEvent
from app.db.repositories import quotas, reservations
from app.domain.errors import QuotaExceeded
from app.domain.outbox import Topic
from app.domain.periods import monthly_period
from app.domain.plans import Resource
from app.domain.usage import GAUGE_PERIOD
from app.domain.viewer import Allowance
from app.services import usage
from tests.support.factories import NOW, make_user
from tests.support.histories import Steps

CALL, INSTALL, RUNNING = (
    Resource.API_CALL,
    Resource.TEMPLATE_INSTALL,
    Resource.CONCURRENT_INSTALLATION,
)


async def allowance_of(database: Database, **limits: int | None) -> Allowance:
    """Of a new account; what is not named is unlimited."""
    user = await make_user(database)
    return Allowance(user.id, {each: limits.get(each.value) for each in Resource}, NOW)


async def consumed(
    database: Database, allowance: Allowance, amount: int = 1, resource: Resource = CALL
) -> bool:
    try:
        async with database.transaction() as connection:
            await quotas.consume(connection, allowance, resource, amount, now=NOW)
    except QuotaExceeded:
        return False
    return True


async def used(database: Database, user_id: UUID, resource: Resource = CALL) -> tuple[int, int]:
    """By the counter and by the events."""
    counter = select(func.coalesce(func.sum(UsageCounter.used), 0)).where(
        UsageCounter.user_id == user_id, UsageCounter.resource == resource
    )
    events = select(func.coalesce(func.sum(UsageEvent.amount), 0)).where(
        UsageEvent.user_id == user_id, UsageEvent.resource == resource
    )
    async with database.read() as connection:
        return (
            int((await connection.execute(counter)).scalar_one()),
            int((await connection.execute(events)).scalar_one()),
        )


async def facts(database: Database) -> list[tuple[str, int]]:
    statement = select(OutboxFact.topic, OutboxFact.payload).order_by(OutboxFact.topic)
    async with database.read() as connection:
        return [(row.topic, row.payload["percent"]) for row in (await connection.execute(statement)).all()]


async def test_of_a_thousand_calls_at_once_exactly_those_left_are_admitted(database: Database) -> None:
    allowance = await allowance_of(database, api_call=400)
    assert await consumed(database, allowance, 63)
    admitted = await asyncio.gather(*(consumed(database, allowance) for _ in range(1000)))
    assert sum(admitted) == 337
    assert await used(database, allowance.user_id) == (400, 400)


async def test_the_thresholds_are_told_exactly_once(database: Database) -> None:
    allowance = await allowance_of(database, api_call=100)
    await asyncio.gather(*(consumed(database, allowance, 3) for _ in range(200)))
    assert await used(database, allowance.user_id) == (99, 99)
    assert await facts(database) == [(Topic.QUOTA_NEAR, 80)]
    await asyncio.gather(*(consumed(database, allowance) for _ in range(20)))
    assert await facts(database) == [(Topic.QUOTA_NEAR, 80), (Topic.QUOTA_REACHED, 100)]


@pytest.mark.parametrize("resource, days", [(INSTALL, 31), (RUNNING, 17)])
async def test_what_rises_and_falls_is_told_once_a_period(
    database: Database, resource: Resource, days: int
) -> None:
    """A counter's period is a month from its anchor; of what is held at a time it is the calendar's."""
    allowance = await allowance_of(database, **{resource.value: 2})
    for now in [NOW, NOW, NOW + timedelta(days=days - 1), NOW + timedelta(days=days)]:
        promised = {"expires_at": now + timedelta(hours=1), "now": now}
        async with database.transaction() as connection:
            for promise in [
                await reservations.reserve(connection, allowance, resource, 1, **promised) for _ in range(2)
            ]:
                await reservations.release(connection, promise)
    assert await facts(database) == [(Topic.QUOTA_NEAR, 80)] * 2 + [(Topic.QUOTA_REACHED, 100)] * 2


async def test_two_processes_share_a_limit_exactly(database: Database, database_url: str) -> None:
    allowance = await allowance_of(database, api_call=333)
    processes = [await start(database_url, allowance, times=500) for _ in range(2)]
    answers = await asyncio.gather(*(process.communicate() for process in processes))
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(output.count(b"admitted") for output, _ in answers) == 333
    assert await used(database, allowance.user_id) == (333, 333)


async def test_a_kill_in_the_middle_neither_loses_nor_gives_away(
    database: Database, database_url: str
) -> None:
    allowance = await allowance_of(database, api_call=300)
    killed = await start(database_url, allowance, times=500)
    assert killed.stdout is not None
    for _ in range(40):
        assert await killed.stdout.readline() == b"admitted\n"
    killed.kill()
    rest, _ = await killed.communicate()
    told = 40 + rest.count(b"admitted")
    before, events = await used(database, allowance.user_id)
    assert before == events
    assert told <= before < 300
    again = await start(database_url, allowance, times=500)
    output, _ = await again.communicate()
    assert again.returncode == 0
    assert output.count(b"admitted") == 300 - before
    assert await used(database, allowance.user_id) == (300, 300)


async def start(database_url: str, allowance: Allowance, *, times: int) -> Process:
    limit = allowance.limits[CALL]
    arguments = [database_url, str(allowance.user_id), str(limit), str(times)]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.consuming", *arguments, stdout=PIPE
    )


async def test_several_resources_are_all_or_nothing(database: Database) -> None:
    allowance = await allowance_of(database, api_call=10, template_install=1, concurrent_installation=1)
    with pytest.raises(QuotaExceeded) as refusal:
        await use_several(database, allowance)
    assert (refusal.value.resource, refusal.value.used, refusal.value.limit) == (INSTALL, 0, 1)
    assert refusal.value.resets_at == NOW + timedelta(days=31)
    for resource in (CALL, INSTALL, RUNNING):
        assert await used(database, allowance.user_id, resource) == (0, 0)
    assert await facts(database) == []
    assert await usage.drift(database=database) == []


async def use_several(database: Database, allowance: Allowance) -> None:
    expires_at = NOW + timedelta(hours=1)
    async with database.transaction() as connection:
        await quotas.consume(connection, allowance, CALL, 9, now=NOW)
        await reservations.reserve(connection, allowance, RUNNING, 1, expires_at=expires_at, now=NOW)
        await quotas.consume(connection, allowance, INSTALL, 2, now=NOW)


async def test_reservations_at_once_admit_exactly_those_left(database: Database) -> None:
    allowance = await allowance_of(database, concurrent_installation=20)
    promised = [x for x in await asyncio.gather(*(reserved(database, allowance) for _ in range(100))) if x]
    assert len(promised) == 20
    settled = await asyncio.gather(*(settle(database, each) for each in promised * 2))
    assert sum(settled) == 20, "each is settled once, by commit or by release"
    counted, events = await used(database, allowance.user_id, RUNNING)
    assert counted == events
    assert await usage.drift(database=database) == []


async def reserved(database: Database, allowance: Allowance) -> UUID | None:
    try:
        async with database.transaction() as connection:
            return await reservations.reserve(
                connection, allowance, RUNNING, 1, expires_at=NOW + timedelta(hours=1), now=NOW
            )
    except QuotaExceeded:
        return None


async def settle(database: Database, reservation_id: UUID) -> bool:
    async with database.transaction() as connection:
        if reservation_id.int % 2:
            return await reservations.commit(connection, reservation_id, now=NOW)
        return await reservations.release(connection, reservation_id)


async def test_a_change_of_plan_keeps_what_was_used(database: Database) -> None:
    small = await allowance_of(database, api_call=5)
    large, tiny = replace(small, limits={CALL: 8}), replace(small, limits={CALL: 3})
    assert [await consumed(database, small) for _ in range(6)] == [True] * 5 + [False]
    assert [await consumed(database, large) for _ in range(4)] == [True] * 3 + [False]
    async with database.transaction() as connection:
        with pytest.raises(QuotaExceeded) as refusal:
            await quotas.consume(connection, tiny, CALL, 1, now=NOW)
    assert (refusal.value.used, refusal.value.limit) == (8, 3)
    assert await used(database, small.user_id) == (8, 8)


async def test_a_limit_of_zero_admits_nothing(database: Database) -> None:
    allowance = await allowance_of(database, api_call=0)
    assert not await consumed(database, allowance)
    assert await used(database, allowance.user_id) == (0, 0)
    assert await facts(database) == []


@dataclass
class Promise:
    """A reservation as the model sees it."""

    resource: Resource
    period: datetime
    amount: int
    expires_at: datetime
    held: bool = True


class QuotaHistory(RuleBasedStateMachine):
    """Any history of one account, against a model of twenty lines."""

    promises = Bundle("promises")
    runner: Steps
    database: Database

    @initialize()
    def open_account(self) -> None:
        self.now = NOW
        self.model: dict[tuple[Resource, datetime], list[int]] = defaultdict(lambda: [0, 0])
        self.known: dict[UUID, Promise] = {}
        self.allowance = self.runner.run(
            allowance_of(self.database, api_call=7, template_install=4, concurrent_installation=3)
        )

    @rule(resource=st.sampled_from([CALL, INSTALL, RUNNING]), amount=st.integers(1, 5))
    def consume(self, resource: Resource, amount: int) -> None:
        fits = self.fits(resource, amount)
        assert self.run(quotas.consume, self.allowance, resource, amount, now=self.now) is fits
        if fits:
            self.model[self.counter(resource)][0] += amount

    @rule(
        target=promises,
        resource=st.sampled_from([CALL, RUNNING]),
        amount=st.integers(1, 4),
        minutes=st.integers(1, 120),
    )
    def reserve(self, resource: Resource, amount: int, minutes: int) -> Any:
        expired = self.expiring(resource)
        freed = sum(each.amount for each in expired if (resource, each.period) == self.counter(resource))
        fits = self.fits(resource, amount - freed)
        expires_at, answers = self.now + timedelta(minutes=minutes), []
        options = {"expires_at": expires_at, "now": self.now}
        assert (
            self.run(reservations.reserve, self.allowance, resource, amount, answers=answers, **options)
            is fits
        )
        if not fits:
            return multiple()
        self.give_back(expired)
        self.model[self.counter(resource)][1] += amount
        self.known[answers[0]] = Promise(resource, self.counter(resource)[1], amount, expires_at)
        return answers[0]

    @rule(promise=promises)
    def commit(self, promise: UUID) -> None:
        known, answers = self.known[promise], []
        self.run(reservations.commit, promise, now=self.now, answers=answers)
        assert answers == [known.held]
        if known.held:
            self.give_back([known])
            self.model[known.resource, known.period][0] += known.amount

    @rule(promise=promises)
    def release(self, promise: UUID) -> None:
        known, answers = self.known[promise], []
        self.run(reservations.release, promise, answers=answers)
        assert answers == [known.held]
        self.give_back([known] if known.held else [])

    @rule(promise=promises, minutes=st.integers(1, 120))
    def extend(self, promise: UUID, minutes: int) -> None:
        known, answers = self.known[promise], []
        expires_at = self.now + timedelta(minutes=minutes)
        self.run(reservations.extend, promise, expires_at=expires_at, answers=answers)
        assert answers == [known.held]
        known.expires_at = expires_at if known.held else known.expires_at

    @rule()
    def sweep(self) -> None:
        answers: list[int] = []
        due = self.expiring(None)
        user = {"user_id": self.allowance.user_id}
        for resource in (CALL, RUNNING):
            self.run(reservations.expire, now=self.now, resource=resource, answers=answers, **user)
        assert sum(answers) == len(due)
        self.give_back(due)

    @rule(amounts=st.tuples(st.integers(1, 5), st.integers(1, 3)))
    def consume_both_or_neither(self, amounts: tuple[int, int]) -> None:
        fits = self.fits(CALL, amounts[0]) and self.fits(INSTALL, amounts[1])

        async def both(connection: Any) -> None:
            for resource, amount in zip((CALL, INSTALL), amounts, strict=True):
                await quotas.consume(connection, self.allowance, resource, amount, now=self.now)

        assert self.run(both) is fits
        if fits:
            for resource, amount in zip((CALL, INSTALL), amounts, strict=True):
                self.model[self.counter(resource)][0] += amount

    @rule(minutes=st.sampled_from([1, 30, 90, 24 * 60, 32 * 24 * 60]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(limits=st.tuples(st.integers(0, 12), st.one_of(st.none(), st.integers(0, 6))))
    def change_plan(self, limits: tuple[int, int | None]) -> None:
        changed = {**self.allowance.limits, CALL: limits[0], RUNNING: limits[1]}
        self.allowance = replace(self.allowance, limits=changed)

    @invariant()
    def counters_are_as_in_the_model(self) -> None:
        if not hasattr(self, "allowance"):
            return
        counted = self.runner.run(self.counters())
        assert counted == {key: tuple(sums) for key, sums in self.model.items() if any(sums)}

    def teardown(self) -> None:
        rows = self.runner.run(usage.drift(database=self.database))
        assert [row for row in rows if row.user_id == self.allowance.user_id] == []

    async def counters(self) -> dict[tuple[Resource, datetime], tuple[int, int]]:
        async with self.database.read() as connection:
            statement = select(UsageCounter).where(UsageCounter.user_id == self.allowance.user_id)
            rows = (await connection.execute(statement)).all()
        return {
            (Resource(row.resource), row.period_start): (row.used, row.reserved)
            for row in rows
            if row.used or row.reserved
        }

    def run(self, action: Any, *given: Any, answers: list[Any] | None = None, **named: Any) -> bool:
        """Whether the action was admitted, in a transaction of its own."""

        async def within() -> bool:
            try:
                async with self.database.transaction() as connection:
                    answer = await action(connection, *given, **named)
            except QuotaExceeded:
                return False
            if answers is not None:
                answers.append(answer)
            return True

        return self.runner.run(within())

    def counter(self, resource: Resource) -> tuple[Resource, datetime]:
        month = monthly_period(anchor=NOW, now=self.now).start
        return resource, GAUGE_PERIOD if resource is RUNNING else month

    def fits(self, resource: Resource, amount: int) -> bool:
        limit = self.allowance.limits[resource]
        return limit is None or sum(self.model[self.counter(resource)]) + amount <= limit

    def expiring(self, resource: Resource | None) -> list[Promise]:
        return [
            each
            for each in self.known.values()
            if each.held and each.expires_at <= self.now and resource in (None, each.resource)
        ]

    def give_back(self, settled: list[Promise]) -> None:
        for each in settled:
            each.held = False
            self.model[each.resource, each.period][1] -= each.amount


@pytest.fixture
def history(database_url: str) -> Iterator[type[QuotaHistory]]:
    with Steps() as runner:
        database = Database(database_url)
        yield type(f"QuotaHistory{uuid4().hex}", (QuotaHistory,), {"runner": runner, "database": database})
        runner.run(database.close())


def test_any_history_is_counted_as_the_model_counts_it(history: type[QuotaHistory]) -> None:
    examples = settings(
        max_examples=30,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    run_state_machine_as_test(history, settings=examples)
