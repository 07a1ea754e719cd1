"""Reviews: decode, call one use case, wrap."""

from uuid import UUID

from strawberry import Info

from app.context import Context
from app.resolvers.catalog import load_package
from app.schema.catalog import Package
from app.schema.node import read_id
from app.schema.reviewing import ReviewPackageInput, ReviewPackagePayload
from app.schema.reviews import Review
from app.services import reviews


async def review_package(info: Info[Context, None], input: ReviewPackageInput) -> ReviewPackagePayload | None:
    context, loaders = info.context, info.context.loaders
    package_id = read_id(input.package_id, of=Package, field="packageId")
    review_id = await reviews.review(
        database=context.deps.database,
        viewer=context.me,
        package_id=package_id,
        rating=input.rating,
        title=input.title,
        body=input.body,
        now=context.now,
    )
    # A mutation before this one may have loaded them; `clear` of what was not loaded raises KeyError.
    loaders.catalog.packages.clear_all()
    loaders.reviews.clear()
    return ReviewPackagePayload(
        review=Review.from_row(await loaders.reviews.reviews.load(review_id)),
        package=Package.from_row(await loaders.catalog.packages.load(package_id)),
    )


async def load_review(context: Context, review_id: UUID) -> Review | None:
    """Whoever sees the package sees its reviews."""
    row = await context.loaders.reviews.reviews.load(review_id)
    package = await load_package(context, row.package_id) if row else None
    return Review.from_row(row) if package else None
