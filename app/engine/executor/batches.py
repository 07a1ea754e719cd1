"""What does a run work on: rows of objects, and holes where something is awaited?"""

from asyncio import Future
from collections.abc import Awaitable, Callable, Iterator
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


class Raised:
    """What an awaitable raised; it may as well return exceptions."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


class Batch:
    """All objects of one type at one place of the plan: their sources, places and results."""

    __slots__ = ("outs", "places", "ranges", "selection", "slots", "sources")

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self.sources: list[Any] = []
        self.places: list[Any] = []
        self.outs: list[dict[str, Any]] = []
        # Where they belong: single objects by row, and lists that are a range of the rows.
        self.slots: list[tuple[Box, str | int, int]] = []
        self.ranges: list[tuple[Box, Place, Shape, int, int]] = []

    def name_places(self) -> Iterator[None]:
        """Of the ranges: a list may be long, and this is no part of finding it."""
        for _, place, inner, start, end in self.ranges:
            for low in range(start, end, AT_ONCE):
                high = min(low + AT_ONCE, end)
                self.places[low:high] = [(place, row - start, inner) for row in range(low, high)]
                if high < end:
                    yield

    def put_in_place(self) -> Iterator[None]:
        outs = self.outs
        for start in range(0, len(self.slots), AT_ONCE):
            for box, key, row in self.slots[start : start + AT_ONCE]:
                box[key] = outs[row]
            yield
        for box, place, _, start, end in self.ranges:
            box[place[1]] = outs[start:end]


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
        self.batches: dict[GraphQLObjectType, Batch] = {}
        self.holes: list[Hole] = []
        self.left = 0


Fill = Callable[[Any, Found], None]
