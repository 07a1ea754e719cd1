"""Adding, choosing and removing ways to pay."""

import strawberry

from app.schema.payloads import Payload
from app.schema.payments import PaymentMethod


@strawberry.input(description="A way to pay is to be added.")
class StartAddPaymentMethodInput:
    idempotency_key: str = strawberry.field(
        description="1 to 255 printable characters of your own, such as a UUID. Sent again, the first answer "
        "comes again."
    )


@strawberry.type(description="What the payment provider's form needs.")
class StartAddPaymentMethodPayload(Payload):
    client_secret: str | None = strawberry.field(
        default=None, description="For the payment provider's form, which saves the card and shows it to us."
    )


@strawberry.input(description="Which one shall pay.")
class SetDefaultPaymentMethodInput:
    payment_method_id: strawberry.ID = strawberry.field(description="One that the account keeps.")


@strawberry.type(description="What pays from now on.")
class SetDefaultPaymentMethodPayload(Payload):
    payment_method: PaymentMethod | None = strawberry.field(
        default=None, description="It is what is charged next."
    )


@strawberry.input(description="Which one to give up.")
class RemovePaymentMethodInput:
    payment_method_id: strawberry.ID = strawberry.field(description="One that the account keeps.")


@strawberry.type(description="What was removed.")
class RemovePaymentMethodPayload(Payload):
    removed_id: strawberry.ID | None = strawberry.field(default=None, description="Its id.")
