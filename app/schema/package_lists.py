"""Lists of packages, and how what is found falls into groups."""

from collections.abc import Awaitable, Callable, Sequence

import strawberry

from app.schema.catalog import Package
from app.schema.connections import Connection


@strawberry.type(description="One value, and how many of the packages found have it.")
class FacetCount:
    value: str = strawberry.field(description="What the filter of the same name takes.")
    count: int = strawberry.field(description="How many packages have it.")


@strawberry.type(
    description="How the packages found fall into groups: at most 50 values each, the most frequent first."
)
class PackageFacets:
    categories: list[FacetCount] = strawberry.field(description="By category.")
    licenses: list[FacetCount] = strawberry.field(description="By licence.")
    authors: list[FacetCount] = strawberry.field(description="By the author's username.")
    prices: list[FacetCount] = strawberry.field(description="`free` and `paid`.")
    ratings: list[FacetCount] = strawberry.field(
        description="With 4, 3, 2 and 1 stars or more, as `minRating` counts them."
    )


@strawberry.type(description="One page of packages.")
class PackageConnection(Connection[Package]):
    grouped: strawberry.Private[Callable[[], Awaitable[PackageFacets]]]

    @strawberry.field(description="Groups under the query and the filter; counted only when asked for.")
    async def facets(self) -> PackageFacets:
        return await self.grouped()


def facet_counts(pairs: Sequence[tuple[str, int]]) -> list[FacetCount]:
    return [FacetCount(value=value, count=count) for value, count in pairs]
