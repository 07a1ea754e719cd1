"""Which packages are asked for?"""

import strawberry

from app.domain.listing import PackageFilter, package_filter


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
