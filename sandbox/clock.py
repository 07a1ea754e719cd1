"""What time is it in the stand-in, and what falls due when time passes?"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.errors import ApiError
from sandbox.periods import LATEST, days

if TYPE_CHECKING:
    from sandbox.world import World

log = logging.getLogger("sandbox")
Handler = Callable[["World", str], None]
FARTHEST = LATEST - days(365 * 1000)
"""What falls due later can still be told: the clock goes no farther."""


class Clock:
    """Runs beside the wall clock at a distance, or stands still when frozen. Whole seconds, UTC."""

    def __init__(self, *, offset: int = 0, frozen_at: int | None = None) -> None:
        self.offset = offset
        self.frozen_at = frozen_at

    def now(self) -> int:
        return self.frozen_at if self.frozen_at is not None else int(time.time()) + self.offset

    def set(self, moment: int) -> None:
        if self.frozen_at is not None:
            self.frozen_at = moment
        else:
            self.offset = moment - int(time.time())

    def restart(self, moment: int | None) -> None:
        """At the given moment, frozen; or with the wall clock."""
        self.offset, self.frozen_at = 0, moment

    def freeze(self, frozen: bool) -> None:
        now = self.now()
        self.frozen_at = now if frozen else None
        self.set(now)


@dataclass
class Passed:
    """What time brought: how many things happened, and which could not, with the reason."""

    happened: int = 0
    refused: list[str] = field(default_factory=list)


def advance(world: "World", to: int, handlers: dict[str, Handler]) -> Passed:
    """Let time pass until `to`: everything due on the way happens at its own moment, in order.

    What cannot happen, because the API itself would refuse it, is given up: time goes on without it.
    """
    passed = Passed()
    while due := next_due(world, to):
        at, name = due
        if at > world.now():
            world.clock.set(at)
        refusal = happen(world, name, handlers)
        if refusal is None:
            passed.happened += 1
            continue
        passed.refused.append(f"{name}: {refusal}")
        log.warning("at %s %s could not happen: %s", at, name, refusal)
    if to > world.now():
        world.clock.set(to)
    return passed


def happen(world: "World", name: str, handlers: dict[str, Handler]) -> ApiError | None:
    """What is refused leaves nothing, and is not due any more."""
    with world.transaction():
        _, what, key = world.timers[name]
        world.set_timer(what, key, None)
        try:
            with world.transaction():
                handlers[what](world, key)
        except ApiError as error:
            return error
    return None


def next_due(world: "World", until: int) -> tuple[int, str] | None:
    """The earliest timer; of several at one moment, the one that was set first."""
    name = min(world.timers, key=lambda name: int(world.timers[name][0]), default=None)
    if name is None or world.timers[name][0] > until:
        return None
    return int(world.timers[name][0]), name
