"""How does the state survive a restart, and stay one program's own?"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from sandbox.http.idempotency import Keys
from sandbox.webhooks import Deliveries
from sandbox.world import World

PATIENCE = 5.0
"""Seconds in which a program that was told to stop lets go of its state."""


class Unreadable(Exception):
    """The file is not what was written."""


@contextmanager
def owned(path: Path | None) -> Iterator[None]:
    """Two programs would overwrite each other's state. Raises OSError when another one has it."""
    if path is None:
        yield
        return
    with path.with_name(path.name + ".lock").open("w") as lock:
        _take(lock.fileno(), path)
        yield


def _take(lock: int, path: Path) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise OSError(
                    f"{path} is in use by another stand-in. Stop that one, or name another file."
                ) from None
            time.sleep(0.05)
        else:
            return


def save(path: Path, world: World, keys: Keys, deliveries: Deliveries) -> None:
    """Written beside the file and moved over it: a crash leaves the old or the new state, never a half."""
    state = {
        "clock": {"offset": world.clock.offset, "frozen_at": world.clock.frozen_at},
        "settings": world.settings.as_dict(), "tables": world.tables, "timers": world.timers,
        "keys": keys.as_dict(), "deliveries": [vars(row) for row in deliveries.rows.values()],
        "holding": deliveries.holding, "lost_types": deliveries.dropped_types, "ids": world.ids(),
    }  # fmt: skip
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(orjson.dumps(state))
    fresh.replace(path)


def load(path: Path, world: World, keys: Keys, deliveries: Deliveries) -> bool:
    """Whether there was a state. Raises Unreadable."""
    if not path.exists():
        return False
    try:
        _restore(orjson.loads(path.read_bytes()), world, keys, deliveries)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{path} holds no state: {error!r}. Delete it to begin anew.") from None
    return True


def _restore(state: Any, world: World, keys: Keys, deliveries: Deliveries) -> None:
    world.clock.offset, world.clock.frozen_at = state["clock"]["offset"], state["clock"]["frozen_at"]
    world.settings.update(state["settings"])
    world.tables.update(state["tables"])
    world.timers.update(state["timers"])
    keys.restore(state["keys"])
    world.continue_ids(state.get("ids"))
    deliveries.holding, deliveries.dropped_types = state["holding"], state.get("lost_types", [])
    deliveries.restore(state["deliveries"])
