"""Which generated function reads the leaf fields of a selection?

For `{ id label: name at author { … } }` on a Strawberry type it looks like this:

    def make(shapes, read_default):
     k2, c2 = shapes[2].exact, shapes[2].convert
     def read(sources, outs, other):
      append = outs.append
      for s in sources:
       try: v0 = s.id
       except Exception as e: v0 = e
       if type(v0) is not str: v0 = other(len(outs), 0, v0)
       try: v1 = s.name
       except Exception as e: v1 = e
       if type(v1) is not str and v1 is not None: v1 = other(len(outs), 1, v1)
       try: v2 = s.at
       except Exception as e: v2 = e
       if type(v2) is k2:
        try: w = c2(v2)
        except Exception: w = None
        v2 = other(len(outs), 2, v2) if w is None else w
       elif True: v2 = other(len(outs), 2, v2)
       append({'id': v0, 'label': v1, 'at': v2, 'author': None})
     return read

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

from app.engine.executor.shapes import Shape

# (sources, outs, other): appends to `outs` one dict for each source.
Read = Callable[[Sequence[Any], list[dict[str, Any]], Callable[[int, int, Any], Any]], None]


class Leaf(NamedTuple):
    """How to read one leaf: by its attribute, else by key or attribute as graphql-core's default."""

    attribute: str | None
    name: str
    shape: Shape


_CHECKS: dict[type | None, str] = {
    str: "type({v}) is not str",
    bool: "type({v}) is not bool",
    int: "(type({v}) is not int or not -2147483648 <= {v} <= 2147483647)",
    float: "(type({v}) is not float or not -1.7976931348623157e308 <= {v} <= 1.7976931348623157e308)",
    None: "True",
}


def make_reader(keys: Sequence[tuple[str, Leaf | str | None]]) -> Read:
    """For each response key in order: a leaf to read, a constant (`__typename`), or None to fill later."""
    lines, entries, shapes = list[str](), list[str](), list[Shape]()
    for key, entry in keys:
        if isinstance(entry, Leaf):
            entries.append(f"{_literal(key)}: v{len(shapes)}")
            lines += _read_lines(len(shapes), entry)
            shapes.append(entry.shape)
        else:
            entries.append(f"{_literal(key)}: {'None' if entry is None else _literal(entry)}")
    converting = [number for number, shape in enumerate(shapes) if shape.convert is not None]
    text = [
        "def make(shapes, read_default):",
        *(f" k{n}, c{n} = shapes[{n}].exact, shapes[{n}].convert" for n in converting),
        " def read(sources, outs, other):",
        "  append = outs.append",
        "  for s in sources:",
        *lines,
        f"   append({{{', '.join(entries)}}})",
        " return read",
    ]
    read: Read = _compiled("\n".join(text))(shapes, read_default)
    return read


def _read_lines(n: int, leaf: Leaf) -> list[str]:
    shape, other = leaf.shape, f"v{n} = other(len(outs), {n}, v{n})"
    unless_null = f" and v{n} is not None" if shape.nullable else ""
    lines = [f"   try: v{n} = {_access(leaf)}", f"   except Exception as e: v{n} = e"]
    if shape.convert is None:
        return [*lines, f"   if {_CHECKS[shape.exact].format(v=f'v{n}')}{unless_null}: {other}"]
    return [
        *lines,
        f"   if type(v{n}) is k{n}:",
        f"    try: w = c{n}(v{n})",
        "    except Exception: w = None",
        f"    v{n} = other(len(outs), {n}, v{n}) if w is None else w",
        f"   elif True{unless_null}: {other}",
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
def _compiled(text: str) -> Callable[..., Any]:
    names: dict[str, Any] = {}
    exec(compile(text, "<generated reader>", "exec"), names)  # noqa: S102  # see the top for why this is safe
    make: Callable[..., Any] = names["make"]
    return make
