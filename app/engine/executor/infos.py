"""What are resolvers given beside their source: `info` and arguments?"""

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any

from graphql import get_argument_values
from graphql.execution import Executor
from graphql.pyutils import Path

from app.engine.executor.faults import Place
from app.engine.executor.plan import Field

# Shared by all rows of a field when all of its arguments are of these; others are made anew for each row.
_IMMUTABLE = {str, int, float, bool, type(None)}
# One of these is made for every call of a resolver, and their own constructors take twice as long.
_new_tuple: Callable[..., Any] = tuple.__new__


def _cannot_change(value: Any) -> bool:
    return type(value) in _IMMUTABLE or isinstance(value, Enum)


class Infos:
    """Made for one run."""

    def __init__(self, executor: Executor[Any]) -> None:
        self.executor = executor
        self._known: dict[Field, tuple[type, tuple[Any, ...], tuple[Any, ...]]] = {}
        self._paths: dict[int, tuple[Place, Path]] = {}

    def info(self, field: Field, place: Place) -> Any:
        """For the field at this place, or at that of the list which this place is in."""
        while type(place[1]) is int:
            place = place[0]
        parent = place[0]
        path = _new_tuple(Path, (None if parent is None else self._path(parent), field.key, field.typename))
        if known := self._known.get(field):
            # All but the path is the same for all rows.
            cls, before, after = known
            return _new_tuple(cls, (*before, path, *after))
        info = self.executor.build_resolve_info(field.definition, list(field.nodes), field.parent, path)
        if info[4] is path:
            self._known[field] = (type(info), tuple(info[:4]), tuple(info[5:]))
        return info

    def _path(self, place: Place) -> Path:
        known = self._paths.get(id(place))
        if known is not None:
            return known[1]
        before = None if place[0] is None else self._path(place[0])
        path: Path = _new_tuple(Path, (before, place[1], place[2].typename))
        self._paths[id(place)] = (place, path)  # the place too, so that its id is not given to another
        return path

    def arguments(self, field: Field) -> dict[str, Any]:
        if field.constants is not None:
            return field.constants
        variables, hide = self.executor.variable_values, self.executor.hide_suggestions
        arguments = get_argument_values(field.definition, field.nodes[0], variables, None, hide)
        if field.is_constant and all(map(_cannot_change, arguments.values())):
            field.constants = arguments
        return arguments

    def arguments_of_rows(self, field: Field) -> Callable[[], dict[str, Any]]:
        """Arguments for one row after the other: the same ones if no resolver can change them."""
        if not field.definition.args:
            return dict
        try:
            arguments = self.arguments(field)
        except Exception:  # noqa: BLE001  # custom scalars may raise anything
            return partial(self.arguments, field)  # raises again, for each row
        if all(map(_cannot_change, arguments.values())):
            return lambda: arguments
        first = [arguments]
        return lambda: first.pop() if first else self.arguments(field)
