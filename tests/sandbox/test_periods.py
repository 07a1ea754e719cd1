"""The calendar and the rounding that every amount rests on."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.periods import end_after, share, step


def on(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("anchor", "interval", "count", "expected"),
    [
        (on(2026, 1, 31), "month", 1, on(2026, 2, 28)),
        (on(2026, 1, 31), "month", 2, on(2026, 3, 31)),
        (on(2024, 1, 31), "month", 1, on(2024, 2, 29)),
        (on(2024, 2, 29), "year", 1, on(2025, 2, 28)),
        (on(2024, 2, 29), "year", 4, on(2028, 2, 29)),
        (on(2026, 1, 15, 13), "month", -1, on(2025, 12, 15, 13)),
        (on(2026, 3, 1), "week", 2, on(2026, 3, 15)),
    ],
)
def test_steps_return_to_the_anchor_day(anchor: int, interval: str, count: int, expected: int) -> None:
    assert step(anchor, interval, count) == expected


@given(
    st.integers(on(2020, 1, 1), on(2030, 1, 1)), st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 12), st.integers(0, 10**8),
)  # fmt: skip
def test_the_end_of_a_period_is_the_first_after_the_moment(
    anchor: int, interval: str, size: int, later: int
) -> None:
    end = end_after(anchor, {"interval": interval, "interval_count": size}, anchor + later)
    assert end > anchor + later
    number = next(n for n in range(10**6) if step(anchor, interval, n * size) == end)
    assert number == 0 or step(anchor, interval, (number - 1) * size) <= anchor + later


def test_halves_are_rounded_away_from_zero() -> None:
    assert [share(1, 1, 2), share(-1, 1, 2), share(1000, 1, 3), share(1000, 2, 3)] == [1, -1, 333, 667]
    assert share(5, 1, 0) == 0


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**7), st.data())
def test_two_parts_make_the_whole_to_a_unit(amount: int, whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    assert abs(share(amount, part, whole) + share(amount, whole - part, whole) - amount) <= 1
