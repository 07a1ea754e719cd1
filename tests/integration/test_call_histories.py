"""Any history of two processes that count one account's calls: never one too many, none forgotten."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from app.db.database import Database
from app.db.models import UsageCounter
from app.domain.call_blocks import LARGEST
from app.domain.errors import CallQuotaExceeded
from app.domain.periods import monthly_period
from app.domain.plans import Resource
from app.domain.quota import Meter
from app.domain.viewer import Allowance
from app.gateways.block_journal import FileJournal
from app.services import calls as calls_service
from app.services import housekeeping, usage
from app.services.calls import Calls
from tests.support.factories import NOW, make_user
from tests.support.histories import Steps

CALL = Resource.API_CALL
which = st.sampled_from([0, 1])
_numbers = count()


class CallHistory(RuleBasedStateMachine):
    """The model is the number of calls that were admitted in each month."""

    runner: Steps
    database: Database
    folder: Path

    @initialize()
    def open_account(self) -> None:
        self.now = NOW
        self.admitted: dict[datetime, int] = defaultdict(int)
        user = self.runner.run(make_user(self.database))
        self.allowance = Allowance(user.id, {CALL: 1000}, NOW)
        self.place = self.folder / str(next(_numbers))
        self.processes = [self.begin(), self.begin()]

    def begin(self) -> Calls:
        return Calls(self.database, FileJournal(self.place, database="this one"))

    @rule(process=which, times=st.sampled_from([1, 4, 40]), amount=st.sampled_from([1, 3, 20]))
    def call(self, process: int, times: int, amount: int) -> None:
        self.runner.run(self.calling(process, times, amount))

    async def calling(self, process: int, times: int, amount: int) -> None:
        limit = self.allowance.limits[CALL]
        for _ in range(times):
            fits = limit is None or self.admitted[self.month] + amount <= limit
            meter = await self.called(process, amount)
            if meter is None:
                return
            assert fits, "one too many"
            self.admitted[self.month] += amount
            assert meter.used <= self.admitted[self.month]

    async def called(self, process: int, amount: int) -> Meter | None:
        refused: CallQuotaExceeded | None = None
        try:
            return await self.processes[process].count(self.allowance, amount, now=self.now)
        except CallQuotaExceeded as refusal:
            refused = refusal
        limit = self.allowance.limits[CALL]
        assert limit is not None
        assert refused.used + amount > limit
        assert refused.used - self.admitted[self.month] <= LARGEST, "by a block of the other at most"
        return None

    @rule(process=which)
    def look(self, process: int) -> None:
        self.runner.run(self.processes[process].look(self.now))

    @rule(process=which)
    def stop(self, process: int) -> None:
        self.runner.run(self.processes[process].give_all_back(self.now))
        self.processes[process]._journal.end()
        self.processes[process] = self.begin()

    @rule(process=which)
    def kill(self, process: int) -> None:
        self.processes[process]._journal.end()
        self.processes[process] = self.begin()

    @rule(seconds=st.sampled_from([1, 5, 11, 25, 3600, 16 * 86400]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(limit=st.sampled_from([0, 300, 1000, 5000, None]))
    def change_plan(self, limit: int | None) -> None:
        self.allowance = replace(self.allowance, limits={CALL: limit})

    @rule()
    def expire(self) -> None:
        self.runner.run(housekeeping.expire_reservations(database=self.database, now=self.now))

    @invariant()
    def nothing_is_counted_that_was_not_admitted_and_all_of_it_is_held(self) -> None:
        if not hasattr(self, "processes"):
            return
        for month, (used, reserved) in self.runner.run(self.counters()).items():
            assert used <= self.admitted[month]
            if month == self.month:
                assert self.admitted[month] <= used + reserved

    def teardown(self) -> None:
        self.runner.run(self.ending())

    async def ending(self) -> None:
        for each in self.processes:
            await each.give_all_back(self.now)
            each._journal.end()
        last = self.begin()
        await last.look(self.now)
        last._journal.end()
        counted = await self.counters()
        assert {month: used for month, (used, _) in counted.items() if used} == {
            month: calls for month, calls in self.admitted.items() if calls
        }
        assert {reserved for _, reserved in counted.values()} <= {0}
        assert list(self.place.glob("*.calls")) == []
        rows = await usage.drift(database=self.database)
        assert [row for row in rows if row.user_id == self.allowance.user_id] == []

    @property
    def month(self) -> datetime:
        return monthly_period(anchor=NOW, now=self.now).start

    async def counters(self) -> dict[datetime, tuple[int, int]]:
        """(used, reserved) by month."""
        columns = (UsageCounter.period_start, UsageCounter.used, UsageCounter.reserved)
        statement = select(*columns).where(UsageCounter.user_id == self.allowance.user_id)
        async with self.database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return {row.period_start: (row.used, row.reserved) for row in rows}


@pytest.fixture
def history(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[type[CallHistory]]:
    monkeypatch.setattr(calls_service, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(calls_service, "RECOVERY_SECONDS", 0.0)
    with Steps() as runner:
        database = Database(database_url)
        yield type(
            f"CallHistory{uuid4().hex}",
            (CallHistory,),
            {"runner": runner, "database": database, "folder": tmp_path / "blocks"},
        )
        runner.run(database.close())


def test_any_history_admits_what_the_plan_allows(history: type[CallHistory]) -> None:
    examples = settings(
        max_examples=15,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    run_state_machine_as_test(history, settings=examples)
