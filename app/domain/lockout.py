"""When failed sign-ins lock an account or an address out: 5 within 5 minutes, for 30 minutes.

The window slides: any five failures that lie within five minutes of each other lock, wherever a fixed window
would have been cut. (OWASP, Authentication Cheat Sheet: lockout threshold, observation window, duration.)
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

MAX_FAILURES = 5
WINDOW = timedelta(minutes=5)
LOCK = timedelta(minutes=30)


def after_failure(failures: Sequence[datetime], *, now: datetime) -> tuple[list[datetime], datetime | None]:
    """(the failures that still count, with this one; the end of the lock that this one brings, or None)."""
    recent = [at for at in failures if now - at < WINDOW] + [now]
    return (recent, None) if len(recent) < MAX_FAILURES else (recent, now + LOCK)
