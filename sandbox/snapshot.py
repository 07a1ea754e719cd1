"""How does the state survive a restart?"""

from pathlib import Path

import orjson

from sandbox.http.idempotency import Keys
from sandbox.webhooks import Deliveries
from sandbox.world import World


def save(path: Path, world: World, keys: Keys, deliveries: Deliveries) -> None:
    """Written beside the file and moved over it: a crash leaves the old or the new state, never a half."""
    state = {
        "clock": {"offset": world.clock.offset, "frozen_at": world.clock.frozen_at},
        "settings": world.settings.as_dict(), "tables": world.tables, "timers": world.timers,
        "keys": keys.as_dict(), "deliveries": [vars(row) for row in deliveries.rows.values()],
        "holding": deliveries.holding,
    }  # fmt: skip
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(orjson.dumps(state))
    fresh.replace(path)


def load(path: Path, world: World, keys: Keys, deliveries: Deliveries) -> bool:
    if not path.exists():
        return False
    state = orjson.loads(path.read_bytes())
    world.clock.offset, world.clock.frozen_at = state["clock"]["offset"], state["clock"]["frozen_at"]
    world.settings.update(state["settings"])
    world.tables.update(state["tables"])
    world.timers.update(state["timers"])
    keys.restore(state["keys"])
    deliveries.holding = state["holding"]
    deliveries.restore(state["deliveries"])
    return True
