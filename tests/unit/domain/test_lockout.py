"""Do five failures in five minutes lock for thirty, and never more or less?"""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domain.lockout import Admitted, Locked, after_failure, attempt, forgive

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def after(seconds: list[float]) -> Admitted | Locked:
    """The answer to the last of these attempts, each of which fails."""
    failures: tuple[datetime, ...] = ()
    until: datetime | None = None
    answer: Admitted | Locked = Locked(until=NOON)
    for second in seconds:
        answer = attempt(failures, locked_until=until, now=at(second))
        if isinstance(answer, Admitted):
            failures, until = answer.failures, answer.locked_until
    return answer


def test_five_failures_are_admitted_and_the_sixth_is_refused() -> None:
    assert after([0]) == Admitted((at(0),), None)
    assert after([0, 1, 2, 3]) == Admitted((at(0), at(1), at(2), at(3)), None)
    assert after([0, 1, 2, 3, 4]) == Admitted((at(0), at(1), at(2), at(3), at(4)), at(4 + 1800))
    assert after([0, 1, 2, 3, 4, 5]) == Locked(at(4 + 1800))


def test_the_lock_ends_after_thirty_minutes_and_begins_afresh() -> None:
    assert after([0, 1, 2, 3, 4, 4 + 1799.999]) == Locked(at(1804))
    assert after([0, 1, 2, 3, 4, 1804]) == Admitted((at(1804),), None)


def test_refused_attempts_do_not_lengthen_the_lock() -> None:
    assert after([0, 1, 2, 3, 4, 600, 1200, 1803]) == Locked(at(1804))


def test_the_window_slides() -> None:
    assert after([0, 75, 150, 225, 299.999]) == Admitted(
        (at(0), at(75), at(150), at(225), at(299.999)), at(299.999 + 1800)
    )
    assert after([0, 75, 150, 225, 300]) == Admitted((at(75), at(150), at(225), at(300)), None)
    assert after([0, 200, 250, 310, 320, 330, 331]) == Locked(at(330 + 1800))


def test_success_forgives_its_own_attempt_only() -> None:
    failures, until = after_failure([at(0), at(1), at(2), at(3)], now=at(4))
    assert until == at(1804)
    left = forgive(failures, attempted_at=at(4))
    assert left == (at(0), at(1), at(2), at(3))
    assert isinstance(attempt(left, locked_until=None, now=at(5)), Admitted)
    assert forgive((at(0), at(0)), attempted_at=at(0)) == (at(0),)
    assert forgive((at(0),), attempted_at=at(9)) == (at(0),)


def test_parallel_guesses_at_one_moment() -> None:
    assert after([0] * 5) == Admitted((at(0),) * 5, at(1800))
    assert after([0] * 6) == Locked(at(1800))


@given(
    st.lists(st.integers(0, 900), min_size=1, max_size=200).map(lambda steps: [float(step) for step in steps])
)
def test_never_more_than_five_guesses_in_five_minutes(steps: list[float]) -> None:
    failures: tuple[datetime, ...] = ()
    until: datetime | None = None
    now, admitted = NOON, []
    for step in steps:
        now += timedelta(seconds=step)
        answer = attempt(failures, locked_until=until, now=now)
        if isinstance(answer, Locked):
            assert now < answer.until <= now + timedelta(minutes=30)
            continue
        failures, until = answer.failures, answer.locked_until
        admitted.append(now)
        assert len(failures) <= 5
        assert len([moment for moment in admitted if now - moment < timedelta(minutes=5)]) <= 5
        assert (until is not None) is (len(failures) == 5)


@given(st.lists(st.integers(75, 900), max_size=100))
def test_one_failure_in_75_seconds_never_locks(steps: list[int]) -> None:
    seconds = [float(sum(steps[: index + 1])) for index in range(len(steps))]
    assert isinstance(after([0.0, *seconds]), Admitted)
