"""Buying a package."""

import strawberry

from app.schema.payloads import Payload
from app.schema.payments import Payment
from app.schema.purchases import Purchase


@strawberry.input(description="What to buy.")
class PurchasePackageInput:
    package_id: strawberry.ID = strawberry.field(description="The package.")
    idempotency_key: str = strawberry.field(
        description="1 to 255 printable characters of your own, such as a UUID. Sent again with the same "
        "input, the first answer comes again and nothing is bought twice."
    )
    version: str | None = strawberry.field(default=None, description="The latest unless given.")
    payment_method_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Pays at once by a method that the account keeps. Without it, the payment provider's "
        "form does, with the payment's client secret.",
    )


@strawberry.type(description="What was bought, or is about to be.")
class PurchasePackagePayload(Payload):
    purchase: Purchase | None = strawberry.field(
        default=None, description="The purchase, also where its payment was declined or is not known of yet."
    )
    payment: Payment | None = strawberry.field(
        default=None, description="What is to be paid; null for what is free."
    )
