"""When failed sign-ins lock an account or an address out: 5 within 5 minutes, for 30 minutes.

The window slides: any five failures that lie within five minutes of each other lock, wherever a fixed window
would have been cut. (OWASP, Authentication Cheat Sheet: lockout threshold, observation window, duration.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MAX_FAILURES = 5
WINDOW = timedelta(minutes=5)
LOCK = timedelta(minutes=30)


@dataclass(frozen=True)
class Admitted:
    """The attempt may go on; store both at once, for it counts as a failure until it is forgiven."""

    failures: tuple[datetime, ...]
    locked_until: datetime | None


@dataclass(frozen=True)
class Locked:
    """Refused without looking at the password; ``until`` is the first moment that admits again."""

    until: datetime


def attempt(
    failures: Sequence[datetime], *, locked_until: datetime | None, now: datetime
) -> Admitted | Locked:
    """Whether an attempt is admitted; recorded in advance, so that parallel guesses cannot slip through."""
    if locked_until is not None and now < locked_until:
        return Locked(until=locked_until)
    recent, until = after_failure(failures, now=now)
    return Admitted(failures=tuple(recent), locked_until=until)


def forgive(failures: Sequence[datetime], *, attempted_at: datetime) -> tuple[datetime, ...]:
    """The failures without the one attempt that proved right; the lock it may have brought ends with it."""
    remaining = list(failures)
    if attempted_at in remaining:
        remaining.remove(attempted_at)
    return tuple(remaining)


def after_failure(failures: Sequence[datetime], *, now: datetime) -> tuple[list[datetime], datetime | None]:
    """(the failures that still count, with this one; the end of the lock that this one brings, or None)."""
    recent = [at for at in failures if now - at < WINDOW] + [now]
    return (recent, None) if len(recent) < MAX_FAILURES else (recent, now + LOCK)
