"""When does a billing period end, and what does a part of it cost? Calendar-anchored, integers only."""

import calendar
from datetime import UTC, datetime
from typing import Any

from sandbox.errors import refused

DAY = 86400
LATEST = 253_402_300_799
"""The end of the year 9999: no moment lies behind it, and no number of the API is above it."""


def step(anchor: int, interval: str, count: int) -> int:
    """The moment `count` intervals after the anchor.

    Months clamp to their last day, and the anchor's day returns.
    """
    if interval in ("day", "week"):
        return anchor + count * DAY * (7 if interval == "week" else 1)
    moment = datetime.fromtimestamp(anchor, UTC)
    months = moment.month - 1 + count * (12 if interval == "year" else 1)
    year, month = moment.year + months // 12, months % 12 + 1
    if year > 9999:
        raise refused("This lies behind the year 9999.")
    day = min(moment.day, calendar.monthrange(year, month)[1])
    return int(moment.replace(year=year, month=month, day=day).timestamp())


def end_after(anchor: int, recurring: dict[str, Any], moment: int) -> int:
    """The first end of a period after the moment, counted from the anchor (which may lie in the future)."""
    interval, size = recurring["interval"], recurring["interval_count"]
    if anchor > moment:
        return anchor
    rough = {"day": 1, "week": 7, "month": 31, "year": 366}[interval] * size
    number = max((moment - anchor) // (rough * DAY), 0)
    while step(anchor, interval, number * size) <= moment:
        number += 1
    return step(anchor, interval, number * size)


def share(amount: int, part: int, whole: int) -> int:
    """`amount * part / whole`, rounded half away from zero: `share(1000, 1, 3) == 333`."""
    if whole <= 0:
        return 0
    sign = -1 if amount < 0 else 1
    return sign * ((2 * abs(amount) * part + whole) // (2 * whole))


def spelled(moment: int) -> str:
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at.day} {at:%b %Y}"


def days(count: int) -> int:
    return count * DAY
