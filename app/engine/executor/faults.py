"""Which errors does the answer report, in which order, and what do they turn to null?"""

from math import inf
from typing import Any

from graphql import GraphQLError, located_error

# (place of the parent or list, key or index, Field or Shape), see plan.Field; recursive, hence untyped.
Place = tuple[Any, Any, Any]


class Faults:
    """Errors by the place they happened at.

    Reported is what a depth first execution without any waiting would report, in its order, so that the
    answer does not depend on timing: errors in the order of the document, without those below a place that
    an earlier one has turned to null. (Once a place is certain to be null, what is still awaited below it is
    given up; an error that it would have brought earlier is then missing, which the specification allows.)
    """

    __slots__ = ("_found", "all_dead", "dead", "propagate")

    def __init__(self, *, propagate: bool) -> None:
        self.propagate = propagate
        self._found: list[tuple[Place, Exception, Any]] = []
        # Places certain to become null by propagation, by identity, and whether all of the data does.
        self.dead: dict[int, Place | None] = {}
        self.all_dead = False

    def add(self, error: Exception, place: Place, field: Any, *, half_done: bool = False) -> None:
        """`half_done` says that something may be on its way below this place already."""
        self._found.append((place, error, field))
        if half_done or (self.propagate and not place[2].nullable):
            target = self._target(place)
            self.dead[id(target)] = target
            self.all_dead = self.all_dead or target is None

    def is_dead(self, place: Place | None) -> bool:
        return self.all_dead or _is_below(place, self.dead)

    def settle(self, data: dict[str, Any]) -> tuple[dict[str, Any] | None, list[GraphQLError]]:
        errors: list[GraphQLError] = []
        nulled: dict[int, Place | None] = {}
        for place, error, field in sorted(self._found, key=_order):
            target = self._target(place)
            if _is_below(target, nulled):
                continue
            errors.append(located_error(error, field.nodes, _keys(place)))
            if target is None:
                return None, errors
            nulled[id(target)] = target
            _set_null(data, _keys(target))
        return data, errors

    def _target(self, place: Place | None) -> Place | None:
        """What an error at `place` turns to null: the nearest place that may be, None for all of the data."""
        while self.propagate and place is not None and not place[2].nullable:
            place = place[0]
        return place


def _is_below(place: Place | None, places: dict[int, Place | None]) -> bool:
    while place is not None:
        if id(place) in places:
            return True
        place = place[0]
    return False


def _keys(place: Place | None) -> list[str | int]:
    keys = []
    while place is not None:
        keys.append(place[1])
        place = place[0]
    return keys[::-1]


def _order(fault: tuple[Place | None, Exception, Any]) -> list[float]:
    place, numbers = fault[0], [inf]  # a list that ends in an error comes after the items it had until then
    while place is not None:
        numbers.append(place[1] if isinstance(place[1], int) else place[2].ordinal)
        place = place[0]
    return numbers[::-1]


def _set_null(data: Any, keys: list[str | int]) -> None:
    for key in keys[:-1]:
        data = data[key]
    data[keys[-1]] = None
