"""Reviews, and what a package shows of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.domain.api_keys import Scope
from app.engine.strawberry_schema import batched
from app.schema.connections import Connection, paged
from app.schema.node import Node

Request = Info[Context, None]


@strawberry.type(description="Who wrote a review.")
class Reviewer:
    username: str = strawberry.field(description="The public name.")


@strawberry.type(description="What an owner thinks of a package.")
class Review(Node):
    rating: int = strawberry.field(description="1 to 5 stars.")
    title: str | None = strawberry.field(description="In one line.")
    body: str = strawberry.field(description="At length; may be empty.")
    created_at: datetime = strawberry.field(description="When it was first written.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    reviewer: Reviewer = strawberry.field(description="Who wrote it.")

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "Review":
        return super().from_row(row, reviewer=Reviewer(username=row.reviewer_username), **given)


async def load_own_reviews(packages: Sequence["Reviewed"], info: Request) -> list[Review | None]:
    viewer = info.context.viewer
    if viewer is None or not viewer.may(Scope.READ):
        return [None] * len(packages)
    pairs = [(package.package_id, viewer.user_id) for package in packages]
    rows = await info.context.loaders.reviews.written(pairs)
    return [Review.from_row(row) if row else None for row in rows]


@strawberry.type
class Reviewed:
    """What every package has."""

    package_id: strawberry.Private[UUID]

    reviews: Connection[Review] = batched(
        paged(
            Connection[Review],
            Review.from_row,
            of="package_id",
            pages=lambda loaders: loaders.reviews.pages,
            counts=lambda loaders: loaders.reviews.counts,
        ),
        description="Its reviews, the newest first.",
    )
    viewer_review: Review | None = batched(
        load_own_reviews, description="The review by the account that asks, with the scope READ."
    )
