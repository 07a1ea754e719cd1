"""The mutation reviewPackage: its input and payload."""

import strawberry

from app.schema.catalog import Package
from app.schema.payloads import Payload
from app.schema.reviews import Review


@strawberry.input(description="A review; a second one of the same package takes the place of the first.")
class ReviewPackageInput:
    package_id: strawberry.ID = strawberry.field(description="A package that you own.")
    rating: int = strawberry.field(description="1 to 5 stars.")
    title: str | None = strawberry.field(default=None, description="One line of up to 120 characters.")
    body: str = strawberry.field(default="", description="Up to 5,000 characters.")


@strawberry.type(description="The review as it stands now.")
class ReviewPackagePayload(Payload):
    review: Review | None = strawberry.field(default=None, description="The review.")
    package: Package | None = strawberry.field(default=None, description="The package with its new rating.")
