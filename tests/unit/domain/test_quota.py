"""Do meters admit exactly the limit, and is each threshold told once?"""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.periods import Period
from app.domain.plans import Resource
from app.domain.quota import Meter, thresholds_crossed

MONTH = Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
counts = st.integers(min_value=0, max_value=2**63 - 1)


def meter(used: int, reserved: int, limit: int | None) -> Meter:
    return Meter(Resource.API_CALL, used=used, reserved=reserved, limit=limit, period=MONTH)


@pytest.mark.parametrize(
    ("used", "reserved", "limit", "remaining"),
    [
        (0, 0, 5, 5),
        (3, 1, 5, 1),
        (3, 2, 5, 0),
        (9, 0, 5, 0),
        (4, 9, 5, 0),
        (0, 0, 0, 0),
        (10**12, 7, None, None),
    ],
)
def test_remaining(used: int, reserved: int, limit: int | None, remaining: int | None) -> None:
    assert meter(used, reserved, limit).remaining == remaining


def test_the_last_one_fits_and_one_more_does_not() -> None:
    assert meter(998, 1, 1000).admits(1) is True
    assert meter(998, 1, 1000).admits(2) is False
    assert meter(999, 1, 1000).admits(1) is False
    assert meter(0, 0, 0).admits(1) is False
    assert meter(10**15, 10**15, None).admits(10**15) is True


@pytest.mark.parametrize("n", [0, -1])
def test_a_use_is_of_one_or_more(n: int) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        meter(0, 0, None).admits(n)


@given(used=counts, reserved=counts, limit=counts, n=st.integers(1, 2**63 - 1))
def test_admits_is_the_rule_of_the_statement(used: int, reserved: int, limit: int, n: int) -> None:
    state = meter(used, reserved, limit)
    assert state.admits(n) is (used + reserved + n <= limit)
    assert state.remaining is not None
    assert state.remaining >= 0


@given(limit=st.integers(0, 300), asked=st.lists(st.integers(1, 40), max_size=60))
def test_what_is_admitted_one_after_the_other_never_passes_the_limit(limit: int, asked: list[int]) -> None:
    used = 0
    for n in asked:
        used += n if meter(used, 0, limit).admits(n) else 0
    assert used <= limit


@pytest.mark.parametrize(
    ("before", "after", "limit", "crossed"),
    [
        (799, 800, 1000, [80]),
        (800, 801, 1000, []),
        (999, 1000, 1000, [100]),
        (1000, 1001, 1000, []),
        (0, 1000, 1000, [80, 100]),
        (0, 1, 1, [80, 100]),
        (3, 4, 5, [80]),
        (0, 799, 1000, []),
        (900, 700, 1000, []),
        (0, 10, 0, []),
        (0, 10**9, None, []),
        (7, 8, 9, [80]),
        (0, 2, 3, []),
    ],
)
def test_thresholds(before: int, after: int, limit: int | None, crossed: list[int]) -> None:
    assert thresholds_crossed(before=before, after=after, limit=limit) == crossed


@given(limit=st.integers(1, 10**12), steps=st.lists(st.integers(0, 10**11), max_size=40))
def test_each_threshold_is_told_exactly_once(limit: int, steps: list[int]) -> None:
    used, told = 0, []
    for step in steps:
        told += thresholds_crossed(before=used, after=used + step, limit=limit)
        used += step
    assert told == [percent for percent in (80, 100) if used * 100 >= limit * percent]
