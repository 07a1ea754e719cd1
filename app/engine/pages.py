"""By how much does one field multiply what is asked for below it?"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLField,
    IntValueNode,
    ListValueNode,
    Node,
    ValueNode,
    VariableNode,
)

PAGE_ARGUMENTS = ("first", "last")
# More digits than any page could have: such a literal is not worth turning into an integer.
MAX_DIGITS = 9
HUGE = 1_000_000_000
_ODD: Final = object()


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


def page_variables(document: DocumentNode) -> frozenset[str]:
    """Names of the variables that `page_factor` reads in this document."""
    found: set[str] = set()
    pending: list[Node] = list(document.definitions)
    while pending:
        node = pending.pop()
        for argument in getattr(node, "arguments", None) or ():
            if argument.name.value in (*PAGE_ARGUMENTS, "ids") and isinstance(argument.value, VariableNode):
                found.add(argument.value.name.value)
        if inner := getattr(node, "selection_set", None):
            pending.extend(inner.selections)
    return frozenset(found)


def page_sizes(names: Iterable[str], variables: Mapping[str, Any]) -> Hashable | None:
    """What `page_factor` finds in these variables: equal for equal factors. None for what nobody means."""
    sizes = [(name, _brief(variables[name])) for name in names if name in variables]
    return None if any(size is _ODD for _, size in sizes) else tuple(sizes)


def _brief(given: object) -> Hashable:
    if given is None or (type(given) is int and 0 <= given <= HUGE):
        return given
    return (len(given),) if isinstance(given, list) else _ODD


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
