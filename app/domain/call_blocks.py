"""How many API calls may one process hold for a busy account, so that a call costs no write?

A block is reserved for the account like any promised usage, and used up in memory. Its size follows the
demand and stays a small part of what is left, so that processes which share the account do not keep the last
calls from each other: near the limit every call is counted by itself.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from app.domain.plans import Resource
from app.domain.quota import THRESHOLDS, Meter
from app.domain.viewer import Allowance

WINDOW = timedelta(seconds=10)
"""Over which the demand is measured; a block holds about a quarter of it."""
BUSY = 64
"""Calls in a window from which an account gets blocks: whoever calls less often is counted call by call."""
SMALLEST, LARGEST = 4, 256
PART_OF_THE_REST = 100
"""A block is the hundredth part of what is left at most."""
OLDEST = timedelta(seconds=10)
"""A block is settled at this age, for other processes and reports to see what was used."""


@dataclass
class Demand:
    """How many calls one account makes: exact within two windows, with the older one fading out."""

    began: datetime
    current: int = 0
    previous: int = 0

    def note(self, amount: int, *, now: datetime) -> None:
        self._turn(now)
        self.current += amount

    def recent(self, *, now: datetime) -> int:
        """Calls within about the last window."""
        self._turn(now)
        passed = max(timedelta(0), now - self.began)
        return self.current + int(self.previous * (1 - passed / WINDOW))

    def _turn(self, now: datetime) -> None:
        windows = (now - self.began) // WINDOW
        if windows > 0:
            self.previous = self.current if windows == 1 else 0
            self.current, self.began = 0, self.began + windows * WINDOW


def block_size(*, recent: int, amount: int, meter: Meter) -> int:
    """Calls to reserve for an account that made ``recent`` of them in a window; 0: count this one by itself.

    ``amount`` are wanted at once. A block ends where the owner is to be told (THRESHOLDS): by the call that
    comes there, not by a later one.
    """
    if recent < BUSY:
        return 0
    size = min(recent // 4, LARGEST, *_bounds(meter))
    return size if size >= max(SMALLEST, amount) else 0


def _bounds(meter: Meter) -> list[int]:
    limit, left = meter.limit, meter.remaining
    if limit is None or left is None:
        return []
    steps = [-(-limit * percent // 100) - meter.used for percent in THRESHOLDS]
    return [left // PART_OF_THE_REST, *(step for step in steps if step > 0)]


@dataclass
class Block:
    """Calls that this process holds. ``before`` is the account without them; ``slot`` is its journal's."""

    id: UUID
    slot: int
    size: int
    anchor_at: datetime
    before: Meter
    taken_at: datetime
    used: int = 0
    used_at_last_look: int = field(default=0, repr=False)

    def admits(self, allowance: Allowance, amount: int, *, now: datetime) -> bool:
        """Not after the month turned, nor when the plan is another one than when it was taken."""
        return (
            self.used + amount <= self.size
            and self.covers(now)
            and allowance.limits[Resource.API_CALL] == self.before.limit
            and allowance.anchor_at == self.anchor_at
        )

    def covers(self, now: datetime) -> bool:
        period = self.before.period
        return period is not None and period.start <= now < period.end

    def is_due(self, *, now: datetime) -> bool:
        """Whether to give it back: nobody used it since the last look, it is old, or its month has ended."""
        idle, self.used_at_last_look = self.used == self.used_at_last_look, self.used
        return idle or now - self.taken_at >= OLDEST or not self.covers(now)

    @property
    def meter(self) -> Meter:
        """How the account stands for this process: what is left of the block is there to be used."""
        before = self.before
        return Meter(before.resource, before.used + self.used, before.reserved, before.limit, before.period)

    def seen_in(self, meter: Meter) -> Meter:
        """A meter as the database had it, with what was used of this block as used."""
        if meter.resource is not Resource.API_CALL or meter.period != self.before.period:
            return meter
        return replace(meter, used=meter.used + self.used, reserved=max(0, meter.reserved - self.size))


@dataclass
class Patience:
    """Whether a refusal may wait for others to give back what they hold: once, and not again for a while.

    Times are seconds of a monotonic clock.
    """

    seconds: float
    pause: float
    _until: float | None = None
    _again_at: float = 0.0

    def lasts(self, at: float) -> bool:
        if at < self._again_at:
            return False
        self._until = at + self.seconds if self._until is None else self._until
        if at < self._until:
            return True
        self._until, self._again_at = None, at + self.pause
        return False

    def rewarded(self) -> None:
        self._until = None
