"""Do five failures in five minutes lock for thirty, and never more or less?"""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domain.lockout import LOCK, after_failure

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def after(seconds: list[float]) -> tuple[list[datetime], datetime | None]:
    """What the last of these failures brings."""
    failures: list[datetime] = []
    until: datetime | None = None
    for second in seconds:
        failures, until = after_failure(failures, now=at(second))
    return failures, until


def test_the_fifth_failure_locks() -> None:
    assert after([0]) == ([at(0)], None)
    assert after([0, 1, 2, 3]) == ([at(0), at(1), at(2), at(3)], None)
    assert after([0, 1, 2, 3, 4]) == ([at(0), at(1), at(2), at(3), at(4)], at(4 + 1800))


def test_the_window_slides() -> None:
    assert after([0, 75, 150, 225, 299.999])[1] == at(299.999 + 1800)
    assert after([0, 75, 150, 225, 300]) == ([at(75), at(150), at(225), at(300)], None)
    assert after([0, 200, 250, 310, 320, 330])[1] == at(330 + 1800)


def test_failures_at_one_moment_all_count() -> None:
    assert after([0] * 5) == ([at(0)] * 5, at(1800))


@given(st.lists(st.integers(0, 400), min_size=1, max_size=60))
def test_it_locks_exactly_when_five_lie_within_five_minutes(steps: list[int]) -> None:
    failures: list[datetime] = []
    now, told = NOON, []
    for step in steps:
        now += timedelta(seconds=step)
        told.append(now)
        failures, until = after_failure(failures, now=now)
        within = [moment for moment in told if now - moment < timedelta(minutes=5)]
        assert failures == within
        assert until == (now + LOCK if len(within) >= 5 else None)


@given(st.lists(st.integers(75, 900), max_size=100))
def test_one_failure_in_75_seconds_never_locks(steps: list[int]) -> None:
    assert after([float(sum(steps[:index])) for index in range(len(steps) + 1)])[1] is None
