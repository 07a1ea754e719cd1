"""May this much more of a resource be used, and did that come near the limit?

Pure decisions on a snapshot, for showing and for messages. What admits under concurrency is one conditional
statement in the database with the same rule: ``used + reserved + n <= limit``.
"""

from dataclasses import dataclass

from app.domain.periods import Period
from app.domain.plans import Resource

THRESHOLDS = (80, 100)
"""Percent of the limit at which the owner is told."""


@dataclass(frozen=True)
class Meter:
    """How one account stands with one resource, in the resource's unit (calls, templates, bytes).

    ``limit`` None is unlimited; ``period`` None is a gauge, which does not reset. After a change to a smaller
    plan ``used`` may stand above ``limit``: nothing more is admitted, nothing is taken away.
    """

    resource: Resource
    used: int
    reserved: int
    limit: int | None
    period: Period | None

    @property
    def remaining(self) -> int | None:
        """What may still be used; never negative, None when unlimited."""
        return None if self.limit is None else max(0, self.limit - self.used - self.reserved)

    @property
    def told(self) -> int:
        """What the owner is told of at THRESHOLDS. Reserved calls are held by servers, and may come back."""
        return self.used if self.resource is Resource.API_CALL else self.used + self.reserved

    def admits(self, n: int) -> bool:
        """Whether ``n`` more (1 or more, else ValueError) fit within the limit."""
        if n < 1:
            raise ValueError(f"A use is of 1 or more, not {n}.")
        return self.remaining is None or n <= self.remaining


def thresholds_crossed(*, before: int, after: int, limit: int | None) -> list[int]:
    """The percents of THRESHOLDS that a change from ``before`` to ``after`` reaches for the first time.

    A limit of 0 stands at 100 % from the beginning: nothing crosses it.
    """
    if limit is None:
        return []
    return [percent for percent in THRESHOLDS if before * 100 < limit * percent <= after * 100]
