"""What every mutation's payload has."""

import strawberry

from app.schema.errors import Error


@strawberry.type
class Payload:
    errors: list[Error] = strawberry.field(
        default_factory=list, description="Why the action was refused; empty when it was done."
    )
