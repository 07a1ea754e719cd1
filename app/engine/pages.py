"""By how much does one field multiply what is asked for below it?"""

from collections.abc import Mapping
from typing import Any

from graphql import FieldNode, GraphQLField, IntValueNode, ListValueNode, ValueNode, VariableNode

PAGE_ARGUMENTS = ("first", "last")
# More digits than any page could have: such a literal is not worth turning into an integer.
MAX_DIGITS = 9
HUGE = 1_000_000_000


def page_factor(
    node: FieldNode, field: GraphQLField | None, *, variables: Mapping[str, Any], default: int
) -> int:
    """The page size asked for, `default` when a connection names none, 1 for anything else; never below 1.

    A field is a connection when the schema gives it `first` or `last`, or, for a field that the schema does
    not know, when it carries one of them. A list of ids multiplies by its length: each id answers a row.
    """
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    sizes = [_size(given[name], variables) for name in PAGE_ARGUMENTS if name in given]
    ids = _length(given.get("ids"), variables)
    asked = [size for size in sizes if size is not None]
    if asked:
        return max(1, ids, *asked)
    pages = bool(sizes) or (field is not None and any(name in field.args for name in PAGE_ARGUMENTS))
    return max(1, ids, _declared(field, default) if pages else 1)


def _size(value: ValueNode, variables: Mapping[str, Any]) -> int | None:
    if isinstance(value, IntValueNode):
        return _integer(value.value)
    given = variables.get(value.name.value) if isinstance(value, VariableNode) else None
    return _integer(given) if isinstance(given, str) else _count(given)


def _count(size: object) -> int | None:
    # A negative or mistyped size is refused by coercion or the resolver; until then it counts as absent.
    return size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None


def _integer(text: str) -> int | None:
    if len(text) > MAX_DIGITS:
        return HUGE
    return int(text) if text.isascii() and text.isdigit() else None


def _length(value: ValueNode | None, variables: Mapping[str, Any]) -> int:
    if isinstance(value, ListValueNode):
        return len(value.values)
    given = variables.get(value.name.value) if isinstance(value, VariableNode) else None
    return len(given) if isinstance(given, list) else 1


def _declared(field: GraphQLField | None, default: int) -> int:
    for name in PAGE_ARGUMENTS:
        argument = field.args.get(name) if field else None
        if argument is not None and isinstance(argument.default_value, int):
            return argument.default_value
    return default
