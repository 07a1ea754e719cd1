"""What time is it in the stand-in, and what falls due when time passes?"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.world import World

Handler = Callable[["World", str], None]


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


def advance(world: "World", to: int, handlers: dict[str, Handler]) -> int:
    """Let time pass until `to`: everything due on the way happens at its own moment, in order.

    Returns how much.
    """
    done = 0
    while due := next_due(world, to):
        at, name = due
        if at > world.now():
            world.clock.set(at)
        with world.transaction():
            _, what, key = world.timers[name]
            world.set_timer(what, key, None)
            handlers[what](world, key)
        done += 1
    if to > world.now():
        world.clock.set(to)
    return done


def next_due(world: "World", until: int) -> tuple[int, str] | None:
    """The earliest timer; of several at one moment, the one that was set first."""
    name = min(world.timers, key=lambda name: int(world.timers[name][0]), default=None)
    if name is None or world.timers[name][0] > until:
        return None
    return int(world.timers[name][0]), name
