"""Reviews, and what a package shows of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.domain.api_keys import Scope
from app.domain.paging import page
from app.schema.connections import Connection
from app.schema.node import Node
from app.schema.paging import After, Before, First, Last

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


@strawberry.type
class Reviewed:
    """What every package has."""

    package_id: strawberry.Private[UUID]

    @strawberry.field(description="Its reviews, the newest first.")
    async def reviews(
        self,
        info: Request,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Review]:
        loaders = info.context.loaders.reviews
        wanted = page(order="id", first=first, after=after, last=last, before=before)

        async def count() -> int:
            return await loaders.counts.load(self.package_id)

        found = await loaders.pages.load((self.package_id, wanted))
        return Connection[Review].of(found, Review.from_row, count=count)

    @strawberry.field(description="The review by the account that asks, with the scope READ.")
    async def viewer_review(self, info: Request) -> Review | None:
        viewer = info.context.viewer
        if viewer is None or not viewer.may(Scope.READ):
            return None
        row = await info.context.loaders.reviews.written.load((self.package_id, viewer.user_id))
        return Review.from_row(row) if row else None
