"""Lists of packages: what is asked for, and how what is found falls into groups."""

from collections.abc import Awaitable, Callable, Sequence

import strawberry

from app.domain.listing import PackageFilter, package_filter
from app.schema.catalog import Package
from app.schema.connections import Connection


@strawberry.input(name="PackageFilter", description="Which packages are listed: all that is given must hold.")
class PackageFilterInput:
    category: str | None = strawberry.field(default=None, description="A category's slug.")
    tag: str | None = strawberry.field(default=None, description="A tag.")
    author: str | None = strawberry.field(default=None, description="An author's username, in any case.")
    license: str | None = strawberry.field(default=None, description="A licence, as packages state it.")
    min_price_cents: int | None = strawberry.field(
        default=None,
        description="The least price, in each package's own currency unless `currency` is given.",
    )
    max_price_cents: int | None = strawberry.field(default=None, description="The greatest price, likewise.")
    currency: str | None = strawberry.field(default=None, description="An ISO 4217 code.")
    free: bool | None = strawberry.field(default=None, description="True: free ones only; false: paid ones.")
    min_rating: float | None = strawberry.field(
        default=None, description="At least so many stars on average, 1 to 5."
    )

    def rule(self) -> PackageFilter:
        """Raises InvalidInput."""
        return package_filter(
            category=self.category,
            tag=self.tag,
            author=self.author,
            license=self.license,
            min_price_cents=self.min_price_cents,
            max_price_cents=self.max_price_cents,
            currency=self.currency,
            free=self.free,
            min_rating=self.min_rating,
        )


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
