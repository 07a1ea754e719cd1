"""Payouts: what authors are paid, and the inputs and payloads of what is done about it."""

from datetime import datetime
from typing import Any

import strawberry

from app.schema.connections import Connection
from app.schema.enums import PayoutMethod, PayoutStatus
from app.schema.money import Money
from app.schema.node import Node, global_id
from app.schema.payloads import Payload
from app.schema.scalars import BigInt

KEY = (
    "1 to 255 printable characters of your own, such as a UUID. Sent again with the same input, the first "
    "answer comes again and nothing is done twice."
)
AMOUNT = "In the currency's minor unit; everything that is available unless given."


@strawberry.type(description="Money that goes to an author.")
class Payout(Node):
    author_id: strawberry.ID = strawberry.field(description="Whose it is, for `node(id:)`.")
    amount: Money = strawberry.field(description="What was to be paid.")
    returned: Money = strawberry.field(description="How much of it is in the balance again.")
    status: PayoutStatus = strawberry.field(description="Where it stands.")
    method: PayoutMethod = strawberry.field(description="How it is paid.")
    reference: str | None = strawberry.field(
        description="Of one paid by hand: where it is found. Of a canceled one: why."
    )
    failure_code: str | None = strawberry.field(
        description="Why the payment provider refused it, in its words."
    )
    created_at: datetime = strawberry.field(description="When it left the balance.")
    paid_at: datetime | None = strawberry.field(description="When it was paid.")

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "Payout":
        return super().from_row(
            row,
            author_id=global_id("Author", row.author_id),
            amount=Money(amount_cents=BigInt(row.amount_cents), currency=row.currency),
            returned=Money(amount_cents=BigInt(row.returned_cents), currency=row.currency),
            status=PayoutStatus(row.status),
            method=PayoutMethod(row.method),
            **given,
        )


@strawberry.type(description="One page of payouts.")
class PayoutConnection(Connection[Payout]):
    pass


@strawberry.input(description="Where the payment provider sends the author afterwards.")
class ConnectPayoutsInput:
    return_url: str = strawberry.field(description="Where everything was told, or the author had enough.")
    refresh_url: str | None = strawberry.field(
        default=None, description="Where the link is too old; `returnUrl` unless given."
    )


@strawberry.type(description="A page of the payment provider's, where the author tells what is asked.")
class ConnectPayoutsPayload(Payload):
    url: str | None = strawberry.field(default=None, description="Send the author there, once.")
    expires_at: datetime | None = strawberry.field(default=None, description="When the address ends.")


@strawberry.input(description="What to pay out to the account's author.")
class RequestPayoutInput:
    currency: str = strawberry.field(description="ISO 4217 code.")
    idempotency_key: str = strawberry.field(description=KEY)
    amount_cents: BigInt | None = strawberry.field(default=None, description=AMOUNT)


@strawberry.type(description="The payout; PENDING while the payment provider has not answered.")
class RequestPayoutPayload(Payload):
    payout: Payout | None = strawberry.field(default=None, description="The payout.")


@strawberry.input(description="What to pay out to an author.")
class CreatePayoutInput:
    author_id: strawberry.ID = strawberry.field(description="The author.")
    method: PayoutMethod = strawberry.field(
        description="MANUAL takes it from the balance until `markPayoutPaid` or `cancelPayout`."
    )
    currency: str = strawberry.field(description="ISO 4217 code.")
    idempotency_key: str = strawberry.field(description=KEY)
    amount_cents: BigInt | None = strawberry.field(default=None, description=AMOUNT)


@strawberry.type(description="The payout.")
class CreatePayoutPayload(Payload):
    payout: Payout | None = strawberry.field(default=None, description="The payout.")


@strawberry.input(description="A payout that was paid by hand.")
class MarkPayoutPaidInput:
    payout_id: strawberry.ID = strawberry.field(description="The payout.")
    reference: str = strawberry.field(description="Where it is found, such as the bank's number of it.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.type(description="The payout, paid.")
class MarkPayoutPaidPayload(Payload):
    payout: Payout | None = strawberry.field(default=None, description="The payout.")


@strawberry.input(description="A payout by hand that is not made after all.")
class CancelPayoutInput:
    payout_id: strawberry.ID = strawberry.field(description="The payout.")
    reason: str = strawberry.field(description="Why, for the author.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.type(description="The payout, canceled: its money is in the balance again.")
class CancelPayoutPayload(Payload):
    payout: Payout | None = strawberry.field(default=None, description="The payout.")
