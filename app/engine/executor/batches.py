"""What does a run work on: rows of objects, and holes where something is awaited?"""

from asyncio import Future
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, Final

from graphql import GraphQLObjectType

from app.engine.executor.faults import Place
from app.engine.executor.plan import Field, Selection
from app.engine.executor.shapes import Shape

Box = Any  # the dict or list that holds a value of the response

# Rows to handle before others get a turn, where no more than a tuple is made for each.
AT_ONCE = 5_000
WAITING: Final = object()
DROPPED: Final = object()
_start = itemgetter(0)


class Raised:
    """What an awaitable raised; it may as well return exceptions."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


class Batch:
    """All objects of one type at one place of the plan: their sources, places and results.

    They belong to the same rows of `above`, at the key of `field`; or each to a box of its own (`slots`), or
    as ranges of rows to lists.
    """

    __slots__ = ("above", "field", "outs", "places", "ranges", "selection", "slots", "sources")

    def __init__(
        self, selection: Selection, above: "Batch | None" = None, field: Field | None = None
    ) -> None:
        self.selection = selection
        self.above = above
        self.field = field
        self.sources: list[Any] = []
        self.outs: list[dict[str, Any]] = []
        self.places: dict[int, Place] = {}  # as far as somebody has asked
        self.slots: list[tuple[Box, str | int, int]] = []
        self.ranges: list[tuple[int, Box, Place, Shape]] = []  # from this row to the next range's

    def add(self, source: Any, box: Box, place: Place) -> None:
        row = len(self.sources)
        self.slots.append((box, place[1], row))
        self.places[row] = place
        self.sources.append(source)

    def add_list(self, sources: Iterable[Any], box: Box, place: Place, inner: Shape) -> None:
        self.ranges.append((len(self.sources), box, place, inner))
        self.sources.extend(sources)

    def place(self, row: int) -> Place | None:
        """The same tuple for the same row; None for the root."""
        place = self.places.get(row)
        if place is None:
            if self.above is not None and self.field is not None:
                place = (self.above.place(row), self.field.key, self.field)
            elif self.ranges:
                start, _, above, inner = self.ranges[bisect_right(self.ranges, row, key=_start) - 1]
                place = (above, row - start, inner)
            else:
                return None
            self.places[row] = place
        return place

    def put_in_place(self) -> Iterator[None]:
        outs = self.outs
        if self.above is not None and self.field is not None:
            own_key = self.field.key
            for start in range(0, len(outs), AT_ONCE):
                end = start + AT_ONCE
                for out, inner in zip(self.above.outs[start:end], outs[start:end], strict=True):
                    out[own_key] = inner
                yield
        for start in range(0, len(self.slots), AT_ONCE):
            for box, key, row in self.slots[start : start + AT_ONCE]:
                box[key] = outs[row]
            yield
        end = len(outs)
        for start, box, place, _ in reversed(self.ranges):
            box[place[1]] = outs[start:end]
            end = start


class Hole:
    """Something to await, and what takes its value."""

    __slots__ = ("awaitable", "fill", "future", "place", "value")

    def __init__(self, awaitable: Any, place: Place, fill: "Fill") -> None:
        self.awaitable: Awaitable[Any] = awaitable
        self.place = place
        self.fill = fill
        self.future: Future[Any] | None = None
        self.value: Any = WAITING


class Found:
    """What completing a field brings up: objects to go on with, and holes, which are filled together.

    With a `parents`, its one hole is the answer of a batched field for all rows of that batch.
    """

    __slots__ = ("batches", "field", "holes", "left", "parents")

    def __init__(self, field: Field, parents: Batch | None = None) -> None:
        self.field = field
        self.parents = parents
        self.batches: dict[tuple[GraphQLObjectType, str], Batch] = {}
        self.holes: list[Hole] = []
        self.left = 0


Fill = Callable[[Any, Found], None]
