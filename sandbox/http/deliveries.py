"""How is the delivery of events steered: hold, release in some order, duplicate, drop, wait?"""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from sandbox.errors import refused
from sandbox.http.control import Answer, controlled

if TYPE_CHECKING:
    from sandbox.program import Sandbox
    from sandbox.webhooks import Delivery


MOST_TIMES = 1000


def shown(rows: "list[Delivery]") -> list[Answer]:
    return [row.as_dict() for row in rows]


def listed(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> Answer:
    deliveries = sandbox.deliveries
    return {
        "holding": deliveries.holding, "lost_types": deliveries.dropped_types,
        "deliveries": shown(list(deliveries.rows.values())),
    }  # fmt: skip


def hold(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> Answer:
    """From now on events wait (`{"hold": false}`: they flow again; those that wait still need a release)."""
    sandbox.deliveries.holding = given.get("hold", True)
    return {"holding": sandbox.deliveries.holding}


def lose(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> Answer:
    """Events of these types (`invoice.*`, or `*` for all) never arrive, until the list is emptied."""
    sandbox.deliveries.dropped_types = given.get("types", ["*"])
    return {"lost_types": sandbox.deliveries.dropped_types}


def release(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> list[Answer]:
    """`order`: ids of deliveries or events; `permutation`: places among the held ones; `seed`: shuffled."""
    order = given.get("order")
    if "permutation" in given:
        held = sandbox.deliveries.held()
        if sorted(given["permutation"]) != list(range(len(held))):
            raise refused(f"permutation holds each of 0 to {len(held) - 1} once", param="permutation")
        order = [held[place].id for place in given["permutation"]]
    check_names(sandbox, order, "order", "held")
    return shown(sandbox.deliveries.release(order, given.get("seed")))


def check_names(sandbox: "Sandbox", names: list[str] | None, param: str, *statuses: str) -> None:
    rows = [row for row in sandbox.deliveries.rows.values() if row.status in statuses]
    for name in names or ():
        if not any(name in (row.id, row.event) for row in rows):
            raise refused(f"{name[:80]} is not {' or '.join(statuses)}", param=param)


def duplicate(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> list[Answer]:
    """Send an event again, `times` more."""
    event = sandbox.world.get("event", given.get("event", ""), "event")
    times = given.get("times", 1)
    if not 1 <= times <= MOST_TIMES:
        raise refused(f"times is from 1 to {MOST_TIMES}", param="times")
    made = [row for _ in range(times) for row in sandbox.deliveries.send(event)]
    return shown(made)


def drop(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> list[Answer]:
    """Held or waiting deliveries never arrive: the named `events` (or deliveries), or all."""
    check_names(sandbox, given.get("events"), "events", "held", "waiting")
    return shown(sandbox.deliveries.drop(given.get("events")))


def drain(sandbox: "Sandbox", given: Answer, path: dict[str, str]) -> Coroutine[Any, Any, Answer]:
    async def wait() -> Answer:
        return {"drained": await sandbox.deliveries.drain(given.get("timeout", 10))}

    return wait()


ROUTES = [
    Route(f"/_sandbox/webhooks{path}", controlled(control, takes), methods=[method])
    for method, path, control, takes in (
        ("GET", "", listed, {}),
        ("POST", "/hold", hold, {"hold": bool}),
        ("POST", "/release", release, {"order": list[str], "permutation": list[int], "seed": int}),
        ("POST", "/duplicate", duplicate, {"event": str, "times": int}),
        ("POST", "/drop", drop, {"events": list[str]}),
        ("POST", "/lose", lose, {"types": list[str]}),
        ("POST", "/drain", drain, {"timeout": float}),
    )
]
