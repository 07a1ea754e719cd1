"""The worker: every fact is acted on, by one worker at a time, whatever fails or is killed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Row, select, update
from structlog.testing import capture_logs

from app import metrics
from app.context import Deps
from app.db.database import Database
from app.db.models import OutboxFact
from app.db.repositories import outbox
from app.domain.outbox import LEASE, MAX_ATTEMPTS, Topic
from app.jobs import HANDLERS, Fact
from app.worker import Worker
from tests.support.factories import NOW
from tests.support.outside import Clock, deps_of


class Deeds:
    """A handler that notes what it was given, and does ``then``."""

    def __init__(self, then: Callable[[Fact], Any] | None = None) -> None:
        self.facts: list[Fact] = []
        self.then = then

    async def __call__(self, deps: Deps, fact: Fact) -> None:
        self.facts.append(fact)
        if self.then is not None:
            await self.then(fact)

    @property
    def names(self) -> list[str]:
        return [fact.payload["name"] for fact in self.facts]


def worker_of(database: Any, deeds: Deeds, *, clock: Clock | None = None, **options: Any) -> Worker:
    options = {"chores": {}, "poll_seconds": 0.01, **options}
    return Worker(deps_of(database, clock=clock), handlers=dict.fromkeys(Topic, deeds), **options)


async def state_facts(database: Database, *names: str) -> list[UUID]:
    async with database.transaction() as connection:
        return [
            await outbox.add(connection, Topic.PASSWORD_CHANGED, {"name": name}, now=NOW) for name in names
        ]


async def kept(database: Database) -> list[Row[Any]]:
    columns: tuple[Any, ...] = (
        OutboxFact.id,
        OutboxFact.state,
        OutboxFact.attempts,
        OutboxFact.last_error,
        OutboxFact.available_at,
        OutboxFact.done_at,
    )
    async with database.read() as connection:
        return list((await connection.execute(select(*columns).order_by(OutboxFact.id))).all())


@asynccontextmanager
async def running(*workers: Worker) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        await asyncio.wait_for(asyncio.gather(*tasks), 30)


async def until(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - waits for what others do, which sets no event
            await asyncio.sleep(0.01)


def count(topic: Topic, outcome: str) -> float:
    labels = {"topic": topic, "outcome": outcome}
    return metrics.REGISTRY.get_sample_value("revgraph_outbox_facts_total", labels) or 0.0


def test_every_topic_has_its_handler() -> None:
    assert set(HANDLERS) == set(Topic)


async def test_a_fact_is_acted_on_once_and_then_done(database: Database) -> None:
    (fact_id,) = await state_facts(database, "a")
    deeds, before = Deeds(), count(Topic.PASSWORD_CHANGED, "done")
    worker = worker_of(database, deeds)
    assert [await worker.work_once() for _ in range(2)] == [1, 0]
    (fact,) = deeds.facts
    assert (fact.id, fact.topic, fact.payload) == (fact_id, Topic.PASSWORD_CHANGED, {"name": "a"})
    assert (fact.attempts, fact.created_at) == (1, NOW)
    (row,) = await kept(database)
    assert (row.state, row.attempts, row.last_error, row.done_at) == ("done", 1, None, NOW)
    assert count(Topic.PASSWORD_CHANGED, "done") == before + 1


async def test_two_workers_never_act_on_the_same_fact(
    database: Database, open_database: Callable[[], Database]
) -> None:
    names = [f"fact {n}" for n in range(100)]
    await state_facts(database, *names)
    deeds, second = Deeds(lambda _: asyncio.sleep(0.002)), open_database()
    async with running(worker_of(database, deeds), worker_of(second, deeds), worker_of(second, deeds)):
        await until(lambda: len(deeds.facts) >= 100)
    await second.close()
    assert sorted(deeds.names) == sorted(names)
    assert {(row.state, row.attempts) for row in await kept(database)} == {("done", 1)}


async def test_the_facts_of_a_killed_worker_are_taken_over_after_the_lease(database: Database) -> None:
    await state_facts(database, "a")
    clock, stuck = Clock(), Deeds(lambda _: asyncio.sleep(3600))
    killed = asyncio.create_task(worker_of(database, stuck, clock=clock).run())
    await until(lambda: bool(stuck.facts))
    killed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await killed
    deeds = Deeds()
    other = worker_of(database, deeds, clock=clock)
    clock.forward(seconds=LEASE.total_seconds() - 1)
    assert await other.work_once() == 0
    clock.forward(seconds=1)
    assert await other.work_once() == 1
    assert [fact.attempts for fact in deeds.facts] == [2]
    assert [row.state for row in await kept(database)] == ["done"]


async def test_a_failure_is_tried_again_later_and_holds_up_nothing(database: Database) -> None:
    await state_facts(database, "bad", "good")
    clock, before = Clock(), count(Topic.PASSWORD_CHANGED, "retried")
    deeds = Deeds(fail_if_bad)
    worker = worker_of(database, deeds, clock=clock)
    with capture_logs() as logs:
        assert await worker.work_once() == 2
    bad, good = await kept(database)
    assert (good.state, bad.state, bad.attempts) == ("done", "waiting", 1)
    assert bad.last_error == "RuntimeError: no luck"
    assert timedelta(seconds=1) <= bad.available_at - NOW <= timedelta(seconds=1.5)
    assert [(line["event"], line["log_level"], line["attempts"]) for line in logs] == [
        ("fact_failed", "warning", 1)
    ]
    assert count(Topic.PASSWORD_CHANGED, "retried") == before + 1
    assert await worker.work_once() == 0
    clock.forward(seconds=1.5)
    deeds.then = None
    assert await worker.work_once() == 1
    assert [(row.state, row.attempts, row.last_error) for row in await kept(database)] == [
        ("done", 2, None),
        ("done", 1, None),
    ]


async def fail_if_bad(fact: Fact) -> None:
    if fact.payload["name"] == "bad":
        raise RuntimeError("no luck")


async def test_after_the_last_attempt_the_fact_is_dead(database: Database) -> None:
    await state_facts(database, "bad")
    clock, before = Clock(), count(Topic.PASSWORD_CHANGED, "dead")
    deeds = Deeds(fail_if_bad)
    worker = worker_of(database, deeds, clock=clock)
    with capture_logs() as logs:
        for _ in range(MAX_ATTEMPTS + 5):
            await worker.work_once()
            clock.forward(hours=2)
    assert len(deeds.facts) == MAX_ATTEMPTS
    assert [(row.state, row.attempts) for row in await kept(database)] == [("dead", MAX_ATTEMPTS)]
    assert [line["event"] for line in logs] == ["fact_failed"] * (MAX_ATTEMPTS - 1) + ["fact_dead"]
    assert count(Topic.PASSWORD_CHANGED, "dead") == before + 1
    async with database.read() as connection:
        (row,) = await outbox.backlog(connection, now=clock.now)
    assert (row.topic, row.state, row.facts, row.oldest) == (Topic.PASSWORD_CHANGED, "dead", 1, NOW)


async def test_a_fact_that_kills_its_workers_is_given_up_untouched(database: Database) -> None:
    await state_facts(database, "deadly")
    async with database.transaction() as connection:
        await connection.execute(update(OutboxFact).values(attempts=MAX_ATTEMPTS))
    deeds = Deeds()
    await worker_of(database, deeds).work_once()
    assert deeds.facts == []
    assert [row.state for row in await kept(database)] == ["dead"]


async def test_a_topic_of_a_later_version_is_put_off(database: Database) -> None:
    await state_facts(database, "a")
    async with database.transaction() as connection:
        await connection.execute(update(OutboxFact).values(topic="from.the.future"))
    await worker_of(database, Deeds()).work_once()
    (row,) = await kept(database)
    assert (row.state, row.attempts) == ("waiting", 1)
    assert row.last_error == "ValueError: 'from.the.future' is not a valid Topic"


async def test_handling_is_cut_off_before_the_lease_ends(database: Database) -> None:
    await state_facts(database, "slow")
    deeds = Deeds(lambda _: asyncio.sleep(3600))
    await worker_of(database, deeds, handling_seconds=0.05).work_once()
    (row,) = await kept(database)
    assert (row.state, row.last_error) == ("waiting", "TimeoutError: ")


async def test_a_late_failure_does_not_undo_what_another_worker_did(database: Database) -> None:
    await state_facts(database, "a")
    clock, deeds = Clock(), Deeds()

    async def outlive_the_lease(_: Fact) -> None:
        clock.forward(seconds=LEASE.total_seconds())
        assert await worker_of(database, deeds, clock=clock).work_once() == 1
        raise RuntimeError("too late")

    with capture_logs() as logs:
        await worker_of(database, Deeds(outlive_the_lease), clock=clock).work_once()
    assert [(row.state, row.attempts, row.last_error) for row in await kept(database)] == [("done", 2, None)]
    assert [line["event"] for line in logs] == ["fact_taken_over"]


async def test_stopping_finishes_the_fact_in_hand(database: Database) -> None:
    await state_facts(database, "a")
    go = asyncio.Event()
    deeds = Deeds(lambda _: go.wait())
    worker = worker_of(database, deeds)
    run = asyncio.create_task(worker.run())
    await until(lambda: bool(deeds.facts))
    await state_facts(database, "b")
    worker.stop()
    await asyncio.sleep(0.05)
    assert not run.done()
    go.set()
    await asyncio.wait_for(run, 5)
    assert deeds.names == ["a"]
    assert [row.state for row in await kept(database)] == ["done", "waiting"]


async def test_a_call_wakes_the_worker_at_once(database: Database) -> None:
    deeds = Deeds()
    worker = worker_of(database, deeds, poll_seconds=3600)
    async with running(worker):
        await asyncio.sleep(0.1)
        await state_facts(database, "a")
        worker.wake()
        await until(lambda: bool(deeds.facts), seconds=5)


class Unreliable:
    """A database that cannot be reached for a while."""

    def __init__(self, database: Database, failures: int) -> None:
        self.database, self.failures = database, failures

    def read(self) -> Any:
        if self.failures:
            self.failures -= 1
            raise ConnectionRefusedError("nobody listens")
        return self.database.read()

    def transaction(self) -> Any:
        return self.database.transaction()


async def test_an_unreachable_database_does_not_end_the_worker(database: Database) -> None:
    await state_facts(database, "a")
    deeds = Deeds()
    with capture_logs() as logs:
        async with running(worker_of(Unreliable(database, 3), deeds)):
            await until(lambda: bool(deeds.facts))
    failed = [line for line in logs if line["event"] == "worker_failed"]
    assert [(line["part"], line["log_level"]) for line in failed] == [("outbox", "error")] * 3


async def test_chores_run_at_once_at_their_interval_and_at_the_end(database: Database) -> None:
    done: list[str] = []

    async def often(deps: Deps) -> None:
        done.append("often")

    async def rarely(deps: Deps) -> None:
        done.append("rarely")

    async def broken(deps: Deps) -> None:
        done.append("broken")
        raise RuntimeError("no luck")

    chores = {often: 0.02, rarely: 3600, broken: 0.02}
    async with running(worker_of(database, Deeds(), chores=chores)):
        await until(lambda: done.count("often") >= 3 and done.count("broken") >= 3)
    assert done.count("rarely") == 2
