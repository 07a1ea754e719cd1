"""Relay connections: pages of a list, by keyset cursors."""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, Self, TypeVar

import strawberry

from app.domain.paging import Slice

NodeType = TypeVar("NodeType")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follows.")
    has_previous_page: bool = strawberry.field(description="Whether something precedes.")
    start_cursor: str | None = strawberry.field(description="The first edge's cursor, for `before`.")
    end_cursor: str | None = strawberry.field(description="The last edge's cursor, for `after`.")


@strawberry.type(description="One item of a page.")
class Edge(Generic[NodeType]):
    cursor: str = strawberry.field(description="The item's place, for `after` and `before`.")
    node: NodeType = strawberry.field(description="The item.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[NodeType]):
    edges: list[Edge[NodeType]] = strawberry.field(description="The items with their cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="How many items the whole list has; counted only when asked for.")
    async def total_count(self) -> int:
        return await self.count()

    @classmethod
    def of(
        cls,
        page: Slice[Any],
        wrap: Callable[[Any], NodeType],
        *,
        count: Callable[[], Awaitable[int]],
        **given: Any,
    ) -> Self:
        edges = [
            Edge(cursor=cursor, node=wrap(row)) for cursor, row in zip(page.cursors, page.rows, strict=True)
        ]
        info = PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        )
        return cls(edges=edges, page_info=info, count=count, **given)
