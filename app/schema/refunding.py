"""Giving back a payment."""

import strawberry

from app.schema.payloads import Payload
from app.schema.payments import Payment
from app.schema.refunds import Refund
from app.schema.scalars import BigInt


@strawberry.input(description="What to give back.")
class RefundPaymentInput:
    payment_id: strawberry.ID = strawberry.field(description="The payment.")
    reason: str = strawberry.field(description="Why, for the books and the payer: 1 to 200 characters.")
    idempotency_key: str = strawberry.field(
        description="1 to 255 printable characters of your own, such as a UUID. Sent again with the same "
        "input, the first answer comes again and nothing is given back twice."
    )
    amount_cents: BigInt | None = strawberry.field(
        default=None, description="In minor units of the payment's currency; all that is left unless given."
    )


@strawberry.type(description="What is given back.")
class RefundPaymentPayload(Payload):
    refund: Refund | None = strawberry.field(
        default=None, description="The refund, also where it is not known yet whether it is made."
    )
    payment: Payment | None = strawberry.field(default=None, description="The payment as it stands now.")
