"""What may the value of a field look like, and how is it recognised quickly?"""

from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from types import CoroutineType, GeneratorType, NoneType
from typing import Any, Final

from graphql import (
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLOutputType,
    GraphQLString,
    is_enum_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.pyutils import Undefined

UndefinedType = type(Undefined)

# Standard scalars return values of exactly these classes as they are (integers and floats in their range).
_SELF_MADE: dict[Any, tuple[Any, type]] = {
    scalar: (scalar.coerce_output_value, kind)
    for scalar, kind in (
        (GraphQLString, str),
        (GraphQLID, str),
        (GraphQLInt, int),
        (GraphQLFloat, float),
        (GraphQLBoolean, bool),
    )
}
# Set in a type's extensions: a class whose direct instances are of this object type, without `is_type_of`;
# whose members this enum knows; or whose direct instances this scalar coerces without looking further.
CLASS: Final = "engine.class"


Convert = Callable[[Any], Any]


class Kind(Enum):
    LEAF = 1
    OBJECT = 2
    ABSTRACT = 3
    LIST = 4


class Shape:
    """A type of the schema without its NonNull, which is `nullable`; `inner` is the shape of a list's items.

    `exact` is a class whose instances need no further look: as a leaf they are their own coercion, or what
    `convert` makes of them, as an object they are of this type.
    """

    __slots__ = ("convert", "exact", "inner", "kind", "nullable", "type", "typename")

    inner: "Shape"

    def __init__(self, type_: GraphQLOutputType) -> None:
        self.nullable = not is_non_null_type(type_)
        self.type: Any = type_.of_type if is_non_null_type(type_) else type_
        # Part of a place in the response, where an index has no type name.
        self.typename: str | None = None
        self.exact: type | None = None
        self.convert: Convert | None = None
        if is_list_type(self.type):
            self.kind = Kind.LIST
            self.inner = Shape(self.type.of_type)
        elif is_leaf_type(self.type):
            self.kind = Kind.LEAF
            self.exact, self.convert = _exact_leaf(self.type)
        elif is_object_type(self.type):
            self.kind = Kind.OBJECT
            self.exact = self.type.extensions.get(CLASS)
        else:
            self.kind = Kind.ABSTRACT


def _exact_leaf(type_: Any) -> tuple[type | None, Convert | None]:
    coerce, exact = _SELF_MADE.get(type_, (None, None))
    # Programs may give a standard scalar another coercion.
    if coerce is not None:
        return (exact if type_.coerce_output_value == coerce else None), None
    cls = type_.extensions.get(CLASS)
    if cls is None or not is_enum_type(type_):
        return cls, cls and type_.coerce_output_value
    names = {}
    for member in cls:
        with suppress(Exception):  # a member that the type does not have is refused when it comes
            names[member._name_] = type_.coerce_output_value(member)
    # By name, as members may be equal to others, or not hashable.
    return cls, lambda member: names[member._name_]


# With the usual access to attributes, though most have a `__getattribute__` of their own.
_BUILT_IN = {object, dict, list, tuple, set, frozenset, str, bytes, int, float, bool}


class PlainClasses(dict[type, bool]):
    """Which classes have instances that are neither null, nor an error, nor awaitable, nor callable?"""

    def __missing__(self, cls: type) -> bool:
        special = {"__await__", "__call__", "__getattr__", "__getattribute__", "__class__"}
        plain = (
            not issubclass(cls, (Exception, NoneType, UndefinedType, CoroutineType, GeneratorType))
            # What these define may differ from instance to instance: each is to be asked.
            and all(special.isdisjoint(base.__dict__) for base in cls.__mro__ if base not in _BUILT_IN)
        )
        self[cls] = plain
        return plain
