"""The table of jobs: unique keys, schedules, leases that are renewed, and work of a process that was killed."""

import asyncio
import inspect
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app import jobs
from app.db.database import Database
from app.db.models import ObjectLease, OutboxFact, WebhookEvent
from app.db.repositories import outbox
from app.domain.outbox import Topic, slot_key
from app.jobs import CHORES, HANDLERS, SCHEDULES, Fact, state_schedules
from app.services import housekeeping
from app.worker import Worker
from app.worker.facts import Facts
from tests.support.background import make_event, make_job
from tests.support.commands import Revgraph
from tests.support.factories import NOW
from tests.support.outside import Clock, deps_of

NOBODY = UUID("00000000-0000-7000-8000-000000000000")


async def facts(database: Database) -> list[Any]:
    columns: tuple[Any, ...] = (
        OutboxFact.topic,
        OutboxFact.state,
        OutboxFact.attempts,
        OutboxFact.unique_key,
        OutboxFact.available_at,
        OutboxFact.last_error,
    )
    async with database.read() as connection:
        return list((await connection.execute(select(*columns).order_by(OutboxFact.id))).all())


async def test_of_facts_with_one_key_there_is_the_first(database: Database) -> None:
    async def state(**given: Any) -> Any:
        async with database.transaction() as connection:
            return await outbox.add(connection, Topic.PASSWORD_CHANGED, {}, now=NOW, **given)

    first = await state(key="a")
    again = await asyncio.gather(*(state(key="a") for _ in range(5)))
    assert first is not None
    assert again == [None] * 5
    assert await state(key="b") is not None
    assert None not in [await state(), await state()]
    assert [fact.unique_key for fact in await facts(database)] == ["a", "b", None, None]


async def test_who_stops_leaves_what_takes_too_long_to_others(database: Database) -> None:
    """A reconciliation may take hours: nobody waits for that when a server is stopped."""
    clock, begun, done = Clock(), asyncio.Event(), []

    async def act(_: object, fact: Fact) -> None:
        if not begun.is_set():
            begun.set()
            await asyncio.sleep(3600)
        done.append(fact.topic)

    async with database.transaction() as connection:
        await outbox.add(connection, Topic.RECONCILE, {}, now=NOW)
    options: dict[str, Any] = {"handlers": dict.fromkeys(Topic, act), "chores": {}, "ending_seconds": 0.1}
    worker = Worker(deps_of(database, clock=clock), **options)
    running = asyncio.create_task(worker.run())
    await asyncio.wait_for(begun.wait(), 20)
    worker.stop()
    await asyncio.wait_for(running, 20)
    [fact] = await facts(database)
    assert (fact.state, fact.attempts, fact.last_error) == ("waiting", 1, None)
    clock.forward(seconds=(fact.available_at - clock.now).total_seconds())
    assert await Worker(deps_of(database, clock=clock), **options).work_once() == 1
    assert done == [Topic.RECONCILE]


async def test_a_fact_may_be_for_later(database: Database) -> None:
    clock, done = Clock(), []

    async def act(_: object, fact: Fact) -> None:
        done.append(fact.topic)

    async with database.transaction() as connection:
        later = NOW + timedelta(hours=1)
        await outbox.add(connection, Topic.PASSWORD_CHANGED, {}, now=NOW, at=later)
    worker = Worker(deps_of(database, clock=clock), handlers=dict.fromkeys(Topic, act), chores={})
    assert await worker.work_once() == 0
    async with database.read() as connection:
        assert list(await outbox.backlog(connection, now=NOW)) == []
    clock.forward(hours=1)
    assert await worker.work_once() == 1
    assert done == [Topic.PASSWORD_CHANGED]


def test_slots_follow_each_other() -> None:
    keys = [
        slot_key(Topic.PRUNE, timedelta(hours=1), now=NOW + timedelta(minutes=minutes))
        for minutes in (0, 59, 60, 119)
    ]
    assert keys == ["schedule.prune@2026-01-15T12:00:00Z"] * 2 + ["schedule.prune@2026-01-15T13:00:00Z"] * 2


def test_every_schedule_and_every_chore_has_its_line() -> None:
    """A chore is what needs nothing but the process."""
    assert set(SCHEDULES) == {topic for topic in Topic if topic.startswith("schedule.")}
    written = [each for _, each in inspect.getmembers(jobs, inspect.iscoroutinefunction)]
    assert set(CHORES) == {each for each in written if list(inspect.signature(each).parameters) == ["deps"]}


async def test_the_daily_reconciliation_may_take_its_time(database: Database) -> None:
    facts = Facts(deps_of(database), handlers=HANDLERS, handling_seconds=45)
    seconds = {topic: facts.seconds(Fact(NOBODY, topic, {}, 1, NOW)) for topic in Topic}
    assert seconds == {**dict.fromkeys(Topic, 45), Topic.RECONCILE: 6 * 3600}


async def test_a_schedule_is_stated_once_a_slot_by_all_processes(
    database: Database, open_database: Callable[[], Database]
) -> None:
    clock, second = Clock(), open_database()
    both = [deps_of(database, clock=clock), deps_of(second, clock=clock)]

    async def stated() -> list[str]:
        await asyncio.gather(*(state_schedules(deps) for deps in both for _ in range(3)))
        return [fact.unique_key for fact in await facts(database) if fact.topic == Topic.PRUNE]

    assert await stated() == ["schedule.prune@2026-01-15T12:00:00Z"]
    clock.forward(minutes=59)
    assert len(await stated()) == 1
    clock.forward(minutes=1)
    assert await stated() == ["schedule.prune@2026-01-15T12:00:00Z", "schedule.prune@2026-01-15T13:00:00Z"]
    await second.close()
    assert len(await facts(database)) == len({fact.unique_key for fact in await facts(database)})
    assert {fact.topic for fact in await facts(database)} == set(SCHEDULES)


async def test_long_work_keeps_its_lease(database: Database, open_database: Callable[[], Database]) -> None:
    """The work lasts several leases; another worker looks all the time, and finds nothing."""
    second, begun, acted = open_database(), asyncio.Event(), []

    async def act(_: object, fact: Fact) -> None:
        acted.append(fact.attempts)
        begun.set()
        await asyncio.sleep(4)

    def worker(database: Database) -> Worker:
        deps = replace(deps_of(database), clock=_now, lease=timedelta(seconds=1.5))
        return Worker(deps, handlers=dict.fromkeys(Topic, act), chores={})

    await state(database)
    working = asyncio.create_task(worker(database).work_once())
    await begun.wait()
    while not working.done():
        assert await worker(second).work_once() == 0
        await asyncio.sleep(0.02)
    await second.close()
    assert acted == [1]
    assert [(fact.state, fact.attempts) for fact in await facts(database)] == [("done", 1)]


async def test_who_cannot_renew_the_lease_is_cut_off_before_it_ends(database: Database) -> None:
    ended: list[float] = []
    lease = 1.6  # of which a quarter is left for a machine that is busy
    loop = asyncio.get_running_loop()

    async def act(_: object, fact: Fact) -> None:
        begun = loop.time()
        async with database.transaction() as connection:  # somebody else has it by now
            await connection.execute(OutboxFact.__table__.update().values(attempts=7))
        try:
            await asyncio.sleep(10)
        finally:
            ended.append(loop.time() - begun)

    await state(database)
    deps = replace(deps_of(database), clock=_now, lease=timedelta(seconds=lease))
    await Worker(deps, handlers=dict.fromkeys(Topic, act), chores={}).work_once()
    assert len(ended) == 1
    assert ended[0] < lease
    assert [(fact.state, fact.attempts) for fact in await facts(database)] == [("waiting", 7)]


async def test_work_is_cut_off_however_often_its_lease_was_renewed(database: Database) -> None:
    async def act(*_: object) -> None:
        await asyncio.sleep(10)

    await state(database)
    deps = replace(deps_of(database), clock=_now, lease=timedelta(seconds=0.4))
    worker = Worker(deps, handlers=dict.fromkeys(Topic, act), chores={}, handling_seconds=0.7)
    async with asyncio.timeout(5):
        await worker.work_once()
    assert [(fact.state, fact.last_error) for fact in await facts(database)] == [
        ("waiting", "TimeoutError: ")
    ]


def _now() -> datetime:
    return datetime.now(UTC)


async def state(database: Database) -> None:
    async with database.transaction() as connection:
        await outbox.add(connection, Topic.PASSWORD_CHANGED, {}, now=NOW)


async def test_keyed_facts_and_events_are_kept_longer(database: Database) -> None:
    """As long as the provider may tell of the same thing again."""
    await make_job(database, state="done", unique_key=None)
    await make_job(database, state="done", unique_key="kept")
    await make_event(database, stripe_event_id="evt_done", status="processed")
    await make_event(database, stripe_event_id="evt_dead", status="dead")
    async with database.transaction() as connection:
        for name, end in (("pi_1", NOW), ("pi_2", _now() + timedelta(days=30))):
            await connection.execute(
                ObjectLease.__table__.insert().values(object_id=name, token=NOBODY, expires_at=end)
            )

    async def left(days: int) -> tuple[list[str | None], list[str], int]:
        await housekeeping.prune(database=database, now=_now() + timedelta(days=days))
        async with database.read() as connection:
            events = (await connection.execute(select(WebhookEvent.stripe_event_id))).scalars()
            leases = await connection.execute(select(func.count()).select_from(ObjectLease))
            return [fact.unique_key for fact in await facts(database)], sorted(events), leases.scalar_one()

    assert await left(29) == ([None, "kept"], ["evt_dead", "evt_done"], 1)
    assert await left(31) == (["kept"], ["evt_dead", "evt_done"], 0)
    assert await left(91) == (["kept"], ["evt_dead"], 0)
    assert await left(401) == ([], ["evt_dead"], 0)


async def test_the_work_of_a_killed_process_is_taken_over(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """A mail server that never answers has the first worker hang; the second one's answers."""
    hung = asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hung.set()
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    revgraph = Revgraph(
        tmp_path,
        {
            "DATABASE_URL": database_url,
            "VAR_DIR": str(tmp_path / "var"),
            "JWT_SECRET": "a secret of the tests that is long enough",
            "WORKER_LEASE_SECONDS": "3",
        },
    )
    async with database.transaction() as connection:
        told = {"username": "olive", "email": "olive@example.test"}
        await outbox.add(connection, Topic.EMAIL_CHANGED, told, now=_now())
    smtp = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port), "SMTP_STARTTLS": "false"}
    first = revgraph.start("worker", **smtp)
    await asyncio.wait_for(hung.wait(), 60)
    os.kill(first.pid, signal.SIGKILL)
    assert await asyncio.to_thread(first.wait, 10) == -signal.SIGKILL
    (fact, *_) = [fact for fact in await facts(database) if fact.topic == Topic.EMAIL_CHANGED]
    assert (fact.state, fact.attempts) == ("waiting", 1)
    second = revgraph.start("worker")
    try:
        async with asyncio.timeout(30):
            while fact.state != "done":
                await asyncio.sleep(0.1)
                (fact, *_) = [each for each in await facts(database) if each.topic == Topic.EMAIL_CHANGED]
    finally:
        second.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(second.wait, 20) == 0
        silent.close()
    assert (fact.state, fact.attempts) == ("done", 2)
    assert len(list((tmp_path / "var" / "mail").iterdir())) == 1
