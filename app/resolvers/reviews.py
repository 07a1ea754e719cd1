"""Reviews: decode, call one use case, wrap."""

from uuid import UUID

from strawberry import Info

from app.context import Context
from app.resolvers.catalog import load_parts
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
    return ReviewPackagePayload(
        review=Review.from_row(await loaders.reviews.reviews.load(review_id)),
        package=Package.from_row(await loaders.catalog.packages.load(package_id)),
    )


async def load_reviews(context: Context, ids: list[UUID]) -> list[Review | None]:
    """Whoever sees the package sees its reviews."""
    rows = await context.loaders.reviews.reviews(ids)
    return await load_parts(context, rows, Review.from_row)
