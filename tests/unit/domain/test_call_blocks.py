"""Do blocks follow the demand, keep away from the limit, and end where somebody is to be told?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.call_blocks import (
    BUSY,
    LARGEST,
    OLDEST,
    PART_OF_THE_REST,
    SMALLEST,
    WINDOW,
    Block,
    Demand,
    Patience,
    block_size,
)
from app.domain.periods import Period
from app.domain.plans import Resource
from app.domain.quota import THRESHOLDS, Meter, thresholds_crossed
from app.domain.viewer import Allowance

MONTH = Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
NOW = datetime(2026, 1, 15, tzinfo=UTC)
CALL = Resource.API_CALL
counts = st.integers(0, 10**7)


def meter(used: int = 0, reserved: int = 0, limit: int | None = 100_000) -> Meter:
    return Meter(CALL, used=used, reserved=reserved, limit=limit, period=MONTH)


@given(recent=counts, amount=st.integers(1, 500), used=counts, reserved=counts, limit=st.none() | counts)
def test_a_block_keeps_every_bound(
    recent: int, amount: int, used: int, reserved: int, limit: int | None
) -> None:
    before = meter(used, reserved, limit)
    size = block_size(recent=recent, amount=amount, meter=before)
    if size == 0:
        return
    assert recent >= BUSY
    assert max(SMALLEST, amount) <= size <= min(LARGEST, recent // 4)
    if limit is not None:
        assert before.admits(size)
        assert size * PART_OF_THE_REST <= limit - used - reserved


@given(recent=counts, used=counts, reserved=counts, limit=counts)
def test_nobody_is_told_late(recent: int, used: int, reserved: int, limit: int) -> None:
    """What a block crosses, its last call crosses."""
    size = block_size(recent=recent, amount=1, meter=meter(used, reserved, limit))
    if size:
        assert thresholds_crossed(before=used, after=used + size - 1, limit=limit) == []


@given(used=counts, limit=counts, recent=st.integers(BUSY, 10**6), more=st.integers(0, 10**6))
def test_more_demand_never_makes_a_smaller_block(used: int, limit: int, recent: int, more: int) -> None:
    smaller = block_size(recent=recent, amount=1, meter=meter(used, 0, limit))
    assert block_size(recent=recent + more, amount=1, meter=meter(used, 0, limit)) >= smaller


@pytest.mark.parametrize(
    ("recent", "amount", "used", "reserved", "limit", "size"),
    [
        (BUSY - 1, 1, 0, 0, None, 0),
        (BUSY, 1, 0, 0, None, 16),
        (10_000, 1, 0, 0, None, 256),
        (10_000, 256, 0, 0, None, 256),
        (10_000, 257, 0, 0, None, 0),
        (10_000, 1, 0, 0, 100_000, 256),
        (10_000, 1, 79_744, 0, 100_000, 202),  # a hundredth of what is left
        (10_000, 1, 79_950, 0, 100_000, 50),  # up to 80 %
        (10_000, 1, 79_997, 0, 100_000, 0),
        (10_000, 1, 80_000, 0, 100_000, 200),
        (10_000, 1, 0, 99_600, 100_000, 4),
        (10_000, 1, 99_600, 0, 100_000, 4),
        (10_000, 1, 99_601, 0, 100_000, 0),
        (10_000, 1, 0, 0, 1_000, 10),
        (10_000, 1, 700, 0, 1_000, 0),
        (10_000, 1, 2_000, 0, 1_000, 0),
        (10_000, 1, 0, 0, 0, 0),
    ],
)
def test_sizes(recent: int, amount: int, used: int, reserved: int, limit: int | None, size: int) -> None:
    assert block_size(recent=recent, amount=amount, meter=meter(used, reserved, limit)) == size


@given(calls=st.lists(st.tuples(st.integers(1, 50), st.integers(0, 30_000)), max_size=60))
def test_demand_is_about_the_last_window(calls: list[tuple[int, int]]) -> None:
    """``calls``: how many, and how many milliseconds after the ones before."""
    demand, now, made = Demand(began=NOW), NOW, []
    for amount, wait in calls:
        now += timedelta(milliseconds=wait)
        demand.note(amount, now=now)
        made.append((now, amount))
    within = lambda span: sum(amount for at, amount in made if now - at < span)  # noqa: E731 - said twice
    current = sum(amount for at, amount in made if at >= demand.began)
    assert current <= demand.recent(now=now) <= within(2 * WINDOW)


def test_demand_ends() -> None:
    demand = Demand(began=NOW)
    demand.note(100, now=NOW)
    assert demand.recent(now=NOW) == 100
    assert demand.recent(now=NOW + WINDOW) == 100
    assert demand.recent(now=NOW + WINDOW * 1.5) == 50
    assert demand.recent(now=NOW + WINDOW * 2) == 0


def test_a_clock_that_is_set_back_is_no_demand() -> None:
    demand = Demand(began=NOW)
    demand.note(5, now=NOW)
    assert demand.recent(now=NOW - timedelta(hours=1)) == 5


def block(**changed: object) -> Block:
    made = Block(uuid4(), 0, 10, NOW, meter(500, 30), NOW, used=4)
    return replace(made, **changed)  # type: ignore[arg-type]  # whatever the test says


def allowance(limit: int | None = 100_000, anchor_at: datetime = NOW) -> Allowance:
    return Allowance(uuid4(), {CALL: limit}, anchor_at)


def test_a_block_admits_what_it_holds() -> None:
    assert block().admits(allowance(), 6, now=NOW)
    assert not block().admits(allowance(), 7, now=NOW)


@pytest.mark.parametrize(
    ("given", "now"),
    [
        (allowance(50), NOW),
        (allowance(None), NOW),
        (allowance(anchor_at=NOW - timedelta(days=1)), NOW),
        (allowance(), MONTH.end),
        (allowance(), MONTH.start - timedelta(microseconds=1)),
    ],
)
def test_a_block_is_of_one_plan_and_one_month(given: Allowance, now: datetime) -> None:
    assert not block().admits(given, 1, now=now)


def test_a_block_is_due_when_it_is_idle_old_or_of_another_month() -> None:
    used = block()
    assert not used.is_due(now=NOW)
    assert used.is_due(now=NOW), "not used since"
    used.used += 1
    assert not used.is_due(now=NOW)
    used.used += 1
    assert used.is_due(now=NOW + OLDEST)
    used.used += 1
    assert block(used=1, taken_at=MONTH.end).is_due(now=MONTH.end)


def test_what_was_used_of_a_block_counts_and_the_rest_is_left() -> None:
    assert block().meter == meter(504, 30)
    assert block().meter.remaining == 100_000 - 534
    assert block().seen_in(meter(510, 40)) == meter(514, 30)
    other_month = replace(meter(510, 40), period=Period(MONTH.end, MONTH.end + timedelta(days=28)))
    assert block().seen_in(other_month) == other_month
    installs = replace(meter(1, 1), resource=Resource.TEMPLATE_INSTALL)
    assert block().seen_in(installs) == installs


def test_patience_comes_back_after_a_pause() -> None:
    patience = Patience(seconds=3, pause=30)
    assert [patience.lasts(at) for at in (10, 12, 12.9, 13, 14, 42.9, 43, 45.9, 46)] == [
        *(True, True, True, False, False, False),
        *(True, True, False),
    ]


def test_patience_begins_anew_after_a_success() -> None:
    patience = Patience(seconds=3, pause=30)
    assert patience.lasts(10)
    patience.rewarded()
    assert [patience.lasts(at) for at in (20, 22, 23)] == [True, True, False]


def test_thresholds_look_at_used_calls_alone() -> None:
    """A block may come back unused, and would be told of again."""
    assert meter(70, 20, 100).told == 70
    assert replace(meter(70, 20, 100), resource=Resource.STORAGE_BYTES).told == 90
    assert THRESHOLDS == (80, 100)
