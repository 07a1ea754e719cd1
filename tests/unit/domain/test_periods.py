"""Do monthly periods follow the calendar and keep their anchor?"""

from calendar import monthrange
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.periods import Period, monthly_period

first, last = (datetime(year, 1, 1) for year in (1990, 2120))  # noqa: DTZ001 - hypothesis adds the zone itself
moments = st.datetimes(first, last, timezones=st.just(UTC))


def utc(year: int, month: int, day: int, *time: int) -> datetime:
    hour, minute, second, micro = (*time, 0, 0, 0, 0)[:4]
    return datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)


def starts(anchor: datetime, count: int) -> list[tuple[int, int]]:
    period, days = monthly_period(anchor=anchor, now=anchor), []
    for _ in range(count):
        days.append((period.start.month, period.start.day))
        period = monthly_period(anchor=anchor, now=period.end)
    return days


def test_the_31st_comes_back_after_short_months() -> None:
    expected = [(1, 31), (2, 28), (3, 31), (4, 30), (5, 31), (6, 30), (7, 31)]
    assert starts(utc(2027, 1, 31), 7) == expected


def test_a_leap_year_has_the_29th() -> None:
    assert starts(utc(2028, 1, 30), 4) == [(1, 30), (2, 29), (3, 30), (4, 30)]


def test_an_anchor_on_the_29th_of_february() -> None:
    assert monthly_period(anchor=utc(2028, 2, 29), now=utc(2029, 2, 28)) == Period(
        utc(2029, 2, 28), utc(2029, 3, 29)
    )


def test_time_of_day_is_kept() -> None:
    anchor = utc(2026, 11, 22, 13, 45, 7, 123)
    period = monthly_period(anchor=anchor, now=utc(2026, 12, 22, 13, 45, 7, 122))
    assert period == Period(anchor, utc(2026, 12, 22, 13, 45, 7, 123))


def test_the_end_belongs_to_the_next_period() -> None:
    anchor = utc(2026, 1, 15)
    assert monthly_period(anchor=anchor, now=utc(2026, 2, 15)).start == utc(2026, 2, 15)


def test_a_moment_before_the_anchor() -> None:
    anchor = utc(2026, 3, 31, 12)
    assert monthly_period(anchor=anchor, now=utc(2025, 12, 31, 11)) == Period(
        utc(2025, 11, 30, 12), utc(2025, 12, 31, 12)
    )


def test_other_zones_are_turned_into_utc() -> None:
    ahead = timezone(timedelta(hours=2))
    anchor = datetime(2026, 2, 1, 1, 0, tzinfo=ahead)
    period = monthly_period(anchor=anchor, now=anchor)
    assert period == Period(utc(2026, 1, 31, 23), utc(2026, 2, 28, 23))
    assert period.start.tzinfo is UTC


@pytest.mark.parametrize("naive", ["anchor", "now"])
def test_naive_times_are_refused(naive: str) -> None:
    times = {"anchor": utc(2026, 1, 1), "now": utc(2026, 1, 1)}
    times[naive] = times[naive].replace(tzinfo=None)
    with pytest.raises(ValueError, match="no time zone"):
        monthly_period(**times)


@given(anchor=moments, now=moments)
def test_contains_now_and_keeps_the_anchor(anchor: datetime, now: datetime) -> None:
    period = monthly_period(anchor=anchor, now=now)
    assert period.start <= now < period.end
    for edge in (period.start, period.end):
        assert edge.day == min(anchor.day, monthrange(edge.year, edge.month)[1])
        assert edge.timetz() == anchor.timetz()


@given(anchor=moments, now=moments)
def test_periods_are_contiguous(anchor: datetime, now: datetime) -> None:
    period = monthly_period(anchor=anchor, now=now)
    following = monthly_period(anchor=anchor, now=period.end)
    assert following.start == period.end
    assert monthly_period(anchor=anchor, now=following.end - timedelta(microseconds=1)) == following
    assert monthly_period(anchor=anchor, now=period.end - timedelta(microseconds=1)) == period
