"""Objects that are made of a row, and read of it no more than is asked for.

A list shows a few of its rows' twenty columns; making objects with all of them took most of such an answer.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields
from operator import attrgetter
from typing import Any, Self, TypeVar

from app.schema.node import Node, id_writer

Type = TypeVar("Type", bound=type[Any])


class View:
    """Made by ``from_row`` alone. ``row`` is a row, or whatever else the object shows."""

    row: Any

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> Self:
        """``given`` are attributes that are not the row's."""
        made = object.__new__(cls)
        made.row = row
        if given:
            for name, value in given.items():
                setattr(made, name, value)
        return made


def view(**computed: Callable[[Any], Any]) -> Callable[[Type], Type]:
    """For a strawberry type that is a `View`: its attributes are the row's, but for the ``computed`` ones.

    These are functions of the row; `attrgetter("id")` gives an attribute of the row another name.
    """

    def read_from_row(cls: Type) -> Type:
        for field in fields(cls):
            name = field.name
            if field.init and field.default is field.default_factory is MISSING:
                setattr(cls, name, property(_getter(cls, name, computed.get(name))))
        return cls

    return read_from_row


def _getter(cls: type[Any], name: str, compute: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    if compute is None and name == "id" and issubclass(cls, Node):
        compute = id_writer(cls.__name__)
    if compute is None:
        return attrgetter(f"row.{name}")  # which Python calls without a frame
    function = compute
    return lambda self: function(self.row)
