"""Which part of a list does an answer hold? (Newest first; cursors are ids.)"""

from collections.abc import Iterable
from typing import Any

from sandbox.errors import refused

COMPARE = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def page(rows: Iterable[dict[str, Any]], params: dict[str, Any], url: str) -> dict[str, Any]:
    """`rows` are in order of creation, oldest first."""
    found = [row for row in reversed(list(rows)) if in_range(row, params.get("created"))]
    return cut(found, params, url)


def cut(found: list[dict[str, Any]], params: dict[str, Any], url: str) -> dict[str, Any]:
    """A page of `found`, which already stands in the order of the answer."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise refused("Limit must be between 1 and 100", param="limit", code="parameter_invalid_integer")
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise refused(
            "You cannot parameterize both starting_after and ending_before.", param="starting_after"
        )
    if before:
        rest = found[: position(found, before, "ending_before")]
        return envelope(rest[-limit:], more=len(rest) > limit, url=url)
    rest = found[position(found, after, "starting_after") + 1 :] if after else found
    return envelope(rest[:limit], more=len(rest) > limit, url=url)


def position(found: list[dict[str, Any]], key: str, param: str) -> int:
    for place, row in enumerate(found):
        if row["id"] == key:
            return place
    raise refused(f"No such object in this list: '{key}'", param=param, code="resource_missing")


def in_range(row: dict[str, Any], created: Any) -> bool:
    at = row.get("created", row.get("date"))
    if created is None:
        return True
    if isinstance(created, int):
        return bool(at == created)
    return all(COMPARE[name](at, bound) for name, bound in created.items())


def envelope(data: list[Any], *, more: bool = False, url: str) -> dict[str, Any]:
    return {"object": "list", "data": data, "has_more": more, "url": url}


def matching(rows: Iterable[dict[str, Any]], params: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    """The rows that have the given values in the fields that a list can be narrowed by."""
    asked = {name: params[name] for name in names if name in params}
    return [row for row in rows if all(row.get(name) == value for name, value in asked.items())]
