"""Which month of metering or billing does a moment lie in?

Periods are calendar-anchored: they begin on the anchor's day and time of day, and in a month too short for
that day on its last one. The anchor stays 31 while the days go 31, 28, 31, like billing cycles at Stripe.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Period:
    """Half-open: ``start <= moment < end``, both aware and in UTC."""

    start: datetime
    end: datetime


def monthly_period(*, anchor: datetime, now: datetime) -> Period:
    """The period that contains ``now``, which may lie before the anchor. ValueError for naive times."""
    anchor, now = _utc(anchor), _utc(now)
    months = (now.year - anchor.year) * 12 + now.month - anchor.month
    if _boundary(anchor, months) > now:
        months -= 1
    return Period(start=_boundary(anchor, months), end=_boundary(anchor, months + 1))


def period_from(start: datetime, *, months: int) -> Period:
    """The period of so many months that begins at ``start``, the anchor of those that follow."""
    start = _utc(start)
    return Period(start=start, end=_boundary(start, months))


def _utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("A period needs aware times: this one has no time zone.")
    return moment.astimezone(UTC)


def _boundary(anchor: datetime, months: int) -> datetime:
    """The anchor moved by whole months, counted from the anchor: steps from month to month lose the day."""
    year, month0 = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    day = min(anchor.day, monthrange(year, month0 + 1)[1])
    return anchor.replace(year=year, month=month0 + 1, day=day)
