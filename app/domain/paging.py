"""Which page of a list is asked for: keyset paging, both ways (Relay Cursor Connections)."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import orjson

from app.domain.errors import InvalidInput

DEFAULT_SIZE = 20
MAX_SIZE = 100
Row = TypeVar("Row")
Cursor = tuple[str | int | float, ...]


class Page(NamedTuple):
    """``size`` rows after ``after`` and before ``before``; from the end when ``backward``."""

    size: int = DEFAULT_SIZE
    after: Cursor | None = None
    before: Cursor | None = None
    backward: bool = False


@dataclass(frozen=True)
class Slice(Generic[Row]):
    """The rows of a page in list order; ``cursor_of`` writes a row's cursor."""

    rows: Sequence[Row]
    cursor_of: Callable[[Row], str]
    has_next: bool
    has_previous: bool

    @property
    def cursors(self) -> list[str]:
        return [self.cursor_of(row) for row in self.rows]


def page(*, order: str, first: int | None, after: str | None, last: int | None, before: str | None) -> Page:
    """``order`` names the sort that the cursors belong to. Raises InvalidInput."""
    if first is not None and last is not None:
        raise InvalidInput("last", "Give 'first' or 'last', not both.")
    name, size = ("last", last) if last is not None else ("first", first)
    if size is not None and not 1 <= size <= MAX_SIZE:
        raise InvalidInput(name, f"'{name}' must be from 1 to {MAX_SIZE}, not {size}.")
    return Page(
        size=size or DEFAULT_SIZE,
        after=read_cursor(after, order=order, field="after") if after is not None else None,
        before=read_cursor(before, order=order, field="before") if before is not None else None,
        backward=last is not None,
    )


def write_cursor(values: Sequence[Any], *, order: str) -> str:
    return urlsafe_b64encode(orjson.dumps([order, *values])).rstrip(b"=").decode()


def read_cursor(text: str, *, order: str, field: str) -> Cursor:
    try:
        values = orjson.loads(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        values = None
    if not isinstance(values, list) or not all(type(value) in (str, int, float) for value in values):
        raise InvalidInput(field, f"'{field}' is not a cursor of this list.")
    if not values or values[0] != order:
        raise InvalidInput(field, f"'{field}' is a cursor of another list or sort: start again without it.")
    return tuple(values[1:])
