"""Which generated function reads the leaf fields of a selection?

For `{ id label: name author { … } }` on a Strawberry type it looks like this:

    def read(sources, outs, other):
        append = outs.append
        for s in sources:
            try: v0 = s.id
            except Exception as e: v0 = e
            if type(v0) is not str: v0 = other(len(outs), 0, v0)
            try: v1 = s.name
            except Exception as e: v1 = e
            if type(v1) is not str and v1 is not None: v1 = other(len(outs), 1, v1)
            append({'id': v0, 'label': v1, 'author': None})

`other` completes what is not exactly of the expected class, with all of the rules.

Why no request can put code into it: the text is made of the constants below, of numbers, and of names. A
response key, the one thing that a request decides, is written by `_literal` alone, as the `repr` of an exact
`str` made ASCII: Python reads that back as this very string and nothing else, whatever quotes, backslashes or
line breaks it holds (the parser would let only letters, digits and `_` through, but documents can be built by
hand). Attribute names come from the schema, and stand outside of a literal only when they are plain ASCII
identifiers.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from keyword import iskeyword
from typing import Any, NamedTuple

# (sources, outs, other): appends to `outs` one dict for each source.
Read = Callable[[Sequence[Any], list[dict[str, Any]], Callable[[int, int, Any], Any]], None]


class Leaf(NamedTuple):
    """How to read one leaf: by its attribute, else by key or attribute as graphql-core's default."""

    attribute: str | None
    name: str
    exact: type | None
    nullable: bool


_CHECKS: dict[type | None, str] = {
    str: "type({v}) is not str",
    bool: "type({v}) is not bool",
    int: "(type({v}) is not int or not -2147483648 <= {v} <= 2147483647)",
    float: "(type({v}) is not float or not -1.7976931348623157e308 <= {v} <= 1.7976931348623157e308)",
    None: "True",
}


def make_reader(keys: Sequence[tuple[str, Leaf | str | None]]) -> Read:
    """For each response key in order: a leaf to read, a constant (`__typename`), or None to fill later."""
    lines = ["def read(sources, outs, other):", " append = outs.append", " for s in sources:"]
    entries = []
    count = 0
    for key, entry in keys:
        if isinstance(entry, Leaf):
            lines += _read_lines(f"v{count}", count, entry)
            entries.append(f"{_literal(key)}: v{count}")
            count += 1
        else:
            entries.append(f"{_literal(key)}: {'None' if entry is None else _literal(entry)}")
    lines.append(f"  append({{{', '.join(entries)}}})")
    return _compiled("\n".join(lines))


def _read_lines(variable: str, number: int, leaf: Leaf) -> list[str]:
    condition = _CHECKS[leaf.exact].format(v=variable)
    if leaf.nullable:
        condition += f" and {variable} is not None"
    return [
        f"  try: {variable} = {_access(leaf)}",
        f"  except Exception as e: {variable} = e",
        f"  if {condition}: {variable} = other(len(outs), {number}, {variable})",
    ]


def _access(leaf: Leaf) -> str:
    if leaf.attribute is None:
        name = _literal(leaf.name)
        return f"s.get({name}) if type(s) is dict else read_default(s, {name})"
    if leaf.attribute.isascii() and leaf.attribute.isidentifier() and not iskeyword(leaf.attribute):
        return f"s.{leaf.attribute}"
    return f"getattr(s, {_literal(leaf.attribute)})"


def _literal(text: str) -> str:
    # Joined anew: a subclass of str could bring its own `repr`.
    return ascii("".join(text))


def read_default(source: Any, name: str) -> Any:
    """As graphql-core's default resolver reads it, before it calls what it finds."""
    return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)


@lru_cache(maxsize=1_000)
def _compiled(text: str) -> Read:
    names: dict[str, Any] = {"read_default": read_default}
    exec(compile(text, "<generated reader>", "exec"), names)  # noqa: S102  # see the top for why this is safe
    read: Read = names["read"]
    return read
