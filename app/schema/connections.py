"""Relay connections: pages of a list, by keyset cursors."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from operator import attrgetter
from typing import Any, Generic, Self, TypeVar, get_origin
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.dataloaders import Loaders
from app.dataloaders.loader import Loader
from app.domain.paging import Page, Slice, page
from app.engine.strawberry_schema import batched
from app.schema.paging import After, Before, First, Last
from app.schema.views import View, view

NodeType = TypeVar("NodeType")
Count = Callable[[list[Any]], Awaitable[Sequence[int]]]


@view(
    has_next_page=attrgetter("has_next"),
    has_previous_page=attrgetter("has_previous"),
    start_cursor=lambda page: page.cursor_of(page.rows[0]) if page.rows else None,
    end_cursor=lambda page: page.cursor_of(page.rows[-1]) if page.rows else None,
)
@strawberry.type(description="Where a page stands in its list.")
class PageInfo(View):
    has_next_page: bool = strawberry.field(description="Whether more follows.")
    has_previous_page: bool = strawberry.field(description="Whether something precedes.")
    start_cursor: str | None = strawberry.field(description="The first edge's cursor, for `before`.")
    end_cursor: str | None = strawberry.field(description="The last edge's cursor, for `after`.")


@view(cursor=lambda item: item[0](item[1]), node=lambda item: item[2](item[1]))
@strawberry.type(description="One item of a page.")
class Edge(View, Generic[NodeType]):
    """Of (what writes its cursor, row, what makes its node of the row)."""

    cursor: str = strawberry.field(description="The item's place, for `after` and `before`.")
    node: NodeType = strawberry.field(description="The item.")


async def count_all(connections: Sequence["Connection[Any]"], _: Info[Any, None]) -> list[int]:
    keys: dict[Count, list[Any]] = defaultdict(list)
    for each in connections:
        keys[each.count].append(each.key)
    found = {}
    for count, asked in keys.items():
        found.update({(count, key): number for key, number in zip(asked, await count(asked), strict=True)})
    return [found[each.count, each.key] for each in connections]


@strawberry.type(description="One page of a list.")
class Connection(Generic[NodeType]):
    """``count`` tells the lengths of whole lists by their keys; ``key`` is this one's."""

    edges: list[Edge[NodeType]] = strawberry.field(description="The items with their cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    count: strawberry.Private[Count]
    key: strawberry.Private[Any] = None
    total_count: int = batched(
        count_all, description="How many items the whole list has; counted only when asked for."
    )

    @classmethod
    def of(cls, found: Slice[Any], wrap: Callable[[Any], NodeType], *, count: Count, **given: Any) -> Self:
        edges: list[Edge[NodeType]] = [Edge.from_row((found.cursor_of, row, wrap)) for row in found.rows]
        info = PageInfo.from_row(found)
        return cls(edges=edges, page_info=info, count=count, **given)


def paged(
    connection: type[Connection[Any]],
    wrap: Callable[[Any], Any],
    *,
    of: str,
    pages: Callable[[Loaders], Loader[tuple[UUID, Page], Slice[Any]]],
    counts: Callable[[Loaders], Loader[UUID, int]],
    order: str = "id",
) -> Callable[..., Awaitable[list[Connection[Any]]]]:
    """For `batched`: the page asked for of each parent's list; the attribute ``of`` is the parent's id."""
    id_of, make = attrgetter(of), (get_origin(connection) or connection).of

    async def load(
        parents: Sequence[Any],
        info: Info[Context, None],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> list[Connection[Any]]:
        wanted = page(order=order, first=first, after=after, last=last, before=before)
        ids, loaders = list(map(id_of, parents)), info.context.loaders
        found, count = await pages(loaders)([(each, wanted) for each in ids]), counts(loaders)
        return [make(each, wrap, count=count, key=key) for each, key in zip(found, ids, strict=True)]

    return load
