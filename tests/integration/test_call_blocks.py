"""Calls from blocks: exact with several processes, when one is killed, when the database fails, over any history."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app import metrics
from app.db.database import Database
from app.db.models import OutboxFact, UsageCounter, UsageEvent, UsageReservation
from app.domain.call_blocks import BUSY
from app.domain.errors import CallQuotaExceeded
from app.domain.outbox import Topic
from app.domain.plans import Resource
from app.domain.viewer import Allowance
from app.gateways.block_journal import FileJournal
from app.services import calls as calls_service
from app.services import housekeeping, usage
from app.services.calls import Calls
from tests.support.factories import NOW, make_user
from tests.support.statements import counted

CALL = Resource.API_CALL
Process_ = Callable[..., Calls]


@pytest.fixture
def process(database: Database, tmp_path: Path) -> Iterator[Process_]:
    """Makes what one server process has, in the folder of this machine or of another one."""
    journals: list[FileJournal] = []

    def make(folder: str = "here") -> Calls:
        journals.append(FileJournal(tmp_path / folder, database="this one"))
        return Calls(database, journals[-1])

    yield make
    for journal in journals:
        journal.end()


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls_service, "PATIENCE_SECONDS", 0.4)
    monkeypatch.setattr(calls_service, "RETRY_SECONDS", 0.02)


async def allowance_of(database: Database, limit: int | None) -> Allowance:
    user = await make_user(database)
    return Allowance(user.id, {**dict.fromkeys(Resource, None), CALL: limit}, NOW)


async def made(calls: Calls, allowance: Allowance, times: int, *, amount: int = 1, now: Any = NOW) -> int:
    """How many of so many calls, one after the other, were admitted."""
    admitted = 0
    for _ in range(times):
        try:
            await calls.count(allowance, amount, now=now)
        except CallQuotaExceeded:
            continue
        admitted += 1
    return admitted


async def at_once(calls: Calls, allowance: Allowance, times: int) -> int:
    return sum(await asyncio.gather(*(made(calls, allowance, 1) for _ in range(times))))


async def counters(database: Database, user_id: UUID) -> list[tuple[int, int]]:
    """(used, reserved) of each month, the earliest first."""
    statement = (
        select(UsageCounter.used, UsageCounter.reserved)
        .where(UsageCounter.user_id == user_id, UsageCounter.resource == CALL)
        .order_by(UsageCounter.period_start)
    )
    async with database.read() as connection:
        return [(row.used, row.reserved) for row in (await connection.execute(statement)).all()]


async def events(database: Database, user_id: UUID) -> list[int]:
    statement = select(UsageEvent.amount).where(UsageEvent.user_id == user_id).order_by(UsageEvent.id)
    async with database.read() as connection:
        return list((await connection.execute(statement)).scalars())


async def held(database: Database) -> list[int]:
    async with database.read() as connection:
        return list((await connection.execute(select(UsageReservation.amount))).scalars())


async def told(database: Database) -> list[tuple[str, int]]:
    statement = select(OutboxFact.topic, OutboxFact.payload).order_by(OutboxFact.topic)
    async with database.read() as connection:
        return [(row.topic, row.payload["used"]) for row in (await connection.execute(statement)).all()]


async def test_whoever_calls_seldom_is_counted_call_by_call(database: Database, process: Process_) -> None:
    calls, allowance = process(), await allowance_of(database, 100_000)
    for second in range(0, 3 * BUSY, 3):  # more than enough together, never within one window
        await calls.count(allowance, 1, now=NOW + timedelta(seconds=second))
    assert await events(database, allowance.user_id) == [1] * BUSY
    assert await held(database) == []


async def test_calls_are_counted_whole_or_not_at_all(database: Database, process: Process_) -> None:
    calls, allowance, before = process(), await allowance_of(database, 1000), refusals()
    meter = await calls.count(allowance, 998, now=NOW)
    assert (meter.used, meter.remaining) == (998, 2)
    with pytest.raises(CallQuotaExceeded) as refusal:
        await calls.count(allowance, 3, now=NOW)
    assert refusal.value.facts() == {
        "resource": "API_CALL",
        "used": 998,
        "limit": 1000,
        "resetsAt": "2026-02-15T12:00:00.000Z",
    }
    assert (await calls.count(allowance, 2, now=NOW)).remaining == 0
    assert await counters(database, allowance.user_id) == [(1000, 0)]
    assert refusals() == before + 1


def refusals() -> float:
    labels = {"resource": "api_call"}
    return metrics.REGISTRY.get_sample_value("revgraph_quota_refusals_total", labels) or 0.0


async def test_a_busy_account_costs_few_statements_and_every_call_is_seen(
    database: Database, process: Process_
) -> None:
    calls, allowance = process(), await allowance_of(database, 100_000)
    assert await made(calls, allowance, BUSY) == BUSY
    with counted(database) as statements:
        meters = [await calls.count(allowance, 1, now=NOW) for _ in range(2000)]
    assert len(statements) < 150
    assert [meter.remaining for meter in meters] == [100_000 - BUSY - n for n in range(1, 2001)]
    assert {meter.reserved for meter in meters} == {0}
    await calls.give_all_back(NOW)
    assert await counters(database, allowance.user_id) == [(2000 + BUSY, 0)]
    stored = await events(database, allowance.user_id)
    assert (sum(stored), max(stored)) == (2000 + BUSY, 256)
    assert await held(database) == []
    assert await usage.drift(database=database) == []


async def test_without_a_limit_too(database: Database, process: Process_) -> None:
    calls, allowance = process(), await allowance_of(database, None)
    assert await made(calls, allowance, 500, amount=3) == 500
    assert (await calls.count(allowance, 1000, now=NOW)).used == 2500, "more than a block has"
    await calls.give_all_back(NOW)
    assert await counters(database, allowance.user_id) == [(2500, 0)]
    assert len(await events(database, allowance.user_id)) < 100


async def test_of_a_thousand_calls_at_once_in_two_processes_exactly_those_left_are_admitted(
    database: Database, process: Process_
) -> None:
    one, two, allowance = process(), process(), await allowance_of(database, 1500)
    assert await made(one, allowance, 1, amount=920) == 1
    before = await made(one, allowance, BUSY) + await made(two, allowance, BUSY)
    assert before == 2 * BUSY
    async with looking(one), looking(two):
        admitted = sum(await asyncio.gather(at_once(one, allowance, 500), at_once(two, allowance, 500)))
    assert admitted == 580 - before
    assert await counters(database, allowance.user_id) == [(1500, 0)]
    assert sum(await events(database, allowance.user_id)) == 1500
    assert max((await events(database, allowance.user_id))[1:]) > 1, "blocks were used"
    assert await told(database) == [(Topic.QUOTA_NEAR, 1200), (Topic.QUOTA_REACHED, 1500)]
    assert await usage.drift(database=database) == []


@asynccontextmanager
async def looking(calls: Calls) -> AsyncIterator[None]:
    """While requests are served: gives back what is idle."""
    running = asyncio.create_task(calls.run(lambda: NOW))
    yield
    calls.stop()
    await running


async def test_the_last_calls_are_nobody_s_to_keep(
    database: Database, process: Process_, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process keeps a block and gets no more calls; the other one waits for it, and refuses nobody."""
    monkeypatch.setattr(calls_service, "LOOK_SECONDS", 0.05)
    one, two, allowance = process(), process(), await allowance_of(database, 1000)
    assert await made(one, allowance, BUSY + 1) == BUSY + 1
    ((used, reserved),) = await counters(database, allowance.user_id)
    assert (used, reserved) == (BUSY - 1, 9)
    assert await made(two, allowance, 1, amount=1000 - BUSY - 8) == 1
    async with looking(one):
        assert await made(two, allowance, 9) == 7
    assert await counters(database, allowance.user_id) == [(1000, 0)]


async def test_nobody_waits_twice_for_what_does_not_come_back(
    database: Database, process: Process_, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block of a process of another machine that is gone stays reserved: never one too many."""
    away = process("there")
    here, allowance = process(), await allowance_of(database, 1000)
    assert await made(away, allowance, BUSY + 3) == BUSY + 3
    assert await made(here, allowance, 1, amount=1000 - BUSY - 8) == 1
    begun = monotonic()
    assert await made(here, allowance, 1) == 0
    assert monotonic() - begun > 0.4
    monkeypatch.setattr(calls_service, "RETRY_SECONDS", 1000)
    assert await made(here, allowance, 10) == 0, "at once"
    assert await counters(database, allowance.user_id) == [(991, 9)]
    await housekeeping.expire_reservations(database=database, now=NOW + timedelta(days=30))
    assert await counters(database, allowance.user_id) == [(991, 9)]
    await housekeeping.expire_reservations(database=database, now=NOW + timedelta(days=31))
    assert await counters(database, allowance.user_id) == [(991, 0)]
    await away.give_all_back(NOW + timedelta(days=32))
    assert await counters(database, allowance.user_id) == [(995, 0)], "late, but truthful"
    assert await usage.drift(database=database) == []


async def test_a_killed_process_loses_and_gives_away_nothing(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    allowance = await allowance_of(database, 1200)
    killed = await start(database_url, allowance, tmp_path)
    assert killed.stdout is not None
    for _ in range(300):
        assert await killed.stdout.readline() == b"admitted\n"
    killed.kill()
    rest, _ = await killed.communicate()
    admitted = 300 + rest.count(b"admitted")
    ((used, reserved),) = await counters(database, allowance.user_id)
    assert used <= admitted <= used + reserved
    again = await start(database_url, allowance, tmp_path)
    output, _ = await again.communicate()
    assert again.returncode == 0
    total = admitted + output.count(b"admitted")
    assert 1199 <= total <= 1200, "one may have been killed between its admission and its word"
    assert await counters(database, allowance.user_id) == [(1200, 0)]
    assert sum(await events(database, allowance.user_id)) == 1200
    assert await usage.drift(database=database) == []


async def start(database_url: str, allowance: Allowance, folder: Path) -> Process:
    arguments = [database_url, str(allowance.user_id), str(allowance.limits[CALL]), "2000", str(folder)]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.consuming", *arguments, stdout=PIPE
    )


async def test_a_running_process_s_journal_is_left_alone(database: Database, process: Process_) -> None:
    one, two, allowance = process(), process(), await allowance_of(database, 100_000)
    assert await made(one, allowance, BUSY + 5) == BUSY + 5
    await two.look(NOW)
    assert await counters(database, allowance.user_id) == [(BUSY - 1, 16)]
    one._journal.end()  # as a kill does
    two._recovered_at = float("-inf")
    await two.look(NOW)
    assert await counters(database, allowance.user_id) == [(BUSY + 5, 0)]


async def test_idle_and_old_blocks_are_given_back(database: Database, process: Process_) -> None:
    calls, allowance = process(), await allowance_of(database, 100_000)
    assert await made(calls, allowance, BUSY + 5) == BUSY + 5
    await calls.look(NOW)
    assert await counters(database, allowance.user_id) == [(BUSY - 1, 16)], "it has just been used"
    await calls.look(NOW)
    assert await counters(database, allowance.user_id) == [(BUSY + 5, 0)]
    assert await events(database, allowance.user_id) == [1] * (BUSY - 1) + [6]

    assert await made(calls, allowance, 5) == 5
    await calls.look(NOW)
    assert await made(calls, allowance, 5) == 5
    await calls.look(NOW + timedelta(seconds=10))
    assert await counters(database, allowance.user_id) == [(BUSY + 15, 0)]
    await calls.look(NOW + timedelta(seconds=40))
    assert calls._accounts == {}, "it is forgotten"


async def test_a_block_is_of_its_month(database: Database, process: Process_) -> None:
    calls, allowance = process(), await allowance_of(database, 100_000)
    last = NOW + timedelta(days=31) - timedelta(seconds=1)
    assert await made(calls, allowance, BUSY + 5, now=last) == BUSY + 5
    meter = await calls.count(allowance, 1, now=last + timedelta(seconds=1))
    assert (meter.used, meter.remaining) == (1, 99_999)
    assert await counters(database, allowance.user_id) == [(BUSY + 5, 0), (0, 17)]
    await calls.give_all_back(last + timedelta(seconds=2))
    assert await counters(database, allowance.user_id) == [(BUSY + 5, 0), (1, 0)]
    assert await usage.drift(database=database) == []


async def test_a_block_is_of_its_plan(database: Database, process: Process_) -> None:
    calls, large = process(), await allowance_of(database, 100_000)
    small = replace(large, limits={**large.limits, CALL: BUSY + 6})
    assert await made(calls, large, BUSY + 5) == BUSY + 5
    assert await made(calls, small, 3) == 1
    assert await counters(database, large.user_id) == [(BUSY + 6, 0)]
    meter = await calls.count(large, 1, now=NOW)
    assert meter.remaining == 100_000 - BUSY - 7


async def test_what_cannot_be_noted_is_counted_singly(
    database: Database, process: Process_, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    calls, allowance = process("file"), await allowance_of(database, 100_000)
    assert await made(calls, allowance, BUSY + 5) == BUSY + 5
    assert await events(database, allowance.user_id) == [1] * (BUSY + 5)


@pytest.mark.parametrize("committed", [True, False], ids=["after the commit", "before it"])
async def test_a_commit_that_seemed_to_fail_counts_once(
    database: Database, process: Process_, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    calls, allowance = process(), await allowance_of(database, 100_000)
    assert await made(calls, allowance, BUSY + 5) == BUSY + 5
    working = database.transaction

    @asynccontextmanager
    async def failing() -> AsyncIterator[Any]:
        async with working() as connection:
            yield connection
            if not committed:
                raise ConnectionError("gone")
        raise ConnectionError("gone")

    monkeypatch.setattr(database, "transaction", failing)
    with pytest.raises(ConnectionError):
        await calls.give_all_back(NOW)  # settling
    with pytest.raises(ConnectionError):
        await calls.count(allowance, 1, now=NOW)  # taking
    monkeypatch.setattr(database, "transaction", working)
    await calls.look(NOW)
    assert await counters(database, allowance.user_id) == [(BUSY + 5, 0)], "the last call was not admitted"
    assert await events(database, allowance.user_id) == [1] * (BUSY - 1) + [6]
    assert await held(database) == []
    assert await usage.drift(database=database) == []


async def test_a_failure_of_the_database_is_survived(
    database: Database, process: Process_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls_service, "LOOK_SECONDS", 0.01)
    calls, allowance = process(), await allowance_of(database, 100_000)
    assert await made(calls, allowance, BUSY + 5) == BUSY + 5
    working, failed = database.transaction, asyncio.Event()

    @asynccontextmanager
    async def failing() -> AsyncIterator[Any]:
        failed.set()
        raise ConnectionError("gone")
        yield

    monkeypatch.setattr(database, "transaction", failing)
    async with looking(calls):
        await failed.wait()
        monkeypatch.setattr(database, "transaction", working)
    assert await counters(database, allowance.user_id) == [(BUSY + 5, 0)]
