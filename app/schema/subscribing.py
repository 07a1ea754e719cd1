"""Changing the plan: quotes, inputs, payloads."""

from datetime import datetime

import strawberry

from app.domain import tier_quotes
from app.domain.money import Money as Amount
from app.schema.enums import Interval, Tier
from app.schema.money import Money
from app.schema.node import global_id
from app.schema.payloads import Payload
from app.schema.scalars import BigInt
from app.schema.subscriptions import Subscription

KEY = (
    "1 to 255 printable characters of your own, such as a UUID. Sent again with the same input, the first "
    "answer comes again and nothing is done twice."
)


@strawberry.type(description="One position of the invoice that would come.")
class TierQuoteLine:
    description: str = strawberry.field(description="What it is for, in the payment provider's words.")
    amount: Money = strawberry.field(description="Negative for what is credited; before discount and tax.")
    period_start: datetime = strawberry.field(description="From when it is for.")
    period_end: datetime = strawberry.field(description="The first instant that it is not for.")
    proration: bool = strawberry.field(description="Whether it is for a part of the running period.")

    @classmethod
    def of(cls, line: tier_quotes.QuoteLine) -> "TierQuoteLine":
        return cls(
            description=line.description,
            amount=_money(line.amount),
            period_start=line.period_start,
            period_end=line.period_end,
            proration=line.is_proration,
        )


@strawberry.type(description="What another plan would cost, and until when that holds.")
class TierQuote:
    id: strawberry.ID = strawberry.field(description="To be sent with changeTier, once.")
    tier: Tier = strawberry.field(description="The plan it is for.")
    interval: Interval = strawberry.field(description="How often that would be paid.")
    lines: list[TierQuoteLine] = strawberry.field(description="What it consists of.")
    proration: Money = strawberry.field(
        description="What the lines for parts of the running period come to; negative for a credit."
    )
    due_now: Money = strawberry.field(
        description="What is collected at once; too small an amount waits for the next billing."
    )
    due_next: Money = strawberry.field(
        description="What is collected at the next billing, as things stand now."
    )
    next_billing_at: datetime | None = strawberry.field(description="When that is; null for never.")
    trial_end: datetime | None = strawberry.field(description="When the trial would end; null for none.")
    expires_at: datetime = strawberry.field(description="Until when it holds, unless something changes.")

    @classmethod
    def of(cls, quote: tier_quotes.Quote) -> "TierQuote":
        return cls(
            id=global_id("TierQuote", quote.id),
            tier=quote.offer.tier,
            interval=quote.offer.interval,
            lines=[TierQuoteLine.of(line) for line in quote.lines],
            proration=_money(quote.proration),
            due_now=_money(quote.due_now),
            due_next=_money(quote.due_next),
            next_billing_at=quote.next_billing_at,
            trial_end=quote.trial_end,
            expires_at=quote.expires_at,
        )


def _money(amount: Amount) -> Money:
    return Money(amount_cents=BigInt(amount.amount_cents), currency=amount.currency)


@strawberry.input(description="Which plan.")
class PreviewTierChangeInput:
    tier: Tier = strawberry.field(description="The plan that is wished for; FREE to end the paid one.")
    interval: Interval | None = strawberry.field(
        default=None, description="How often to pay; as it is now unless given, at first by the month."
    )


@strawberry.type(description="What the plan would cost.")
class PreviewTierChangePayload(Payload):
    quote: TierQuote | None = strawberry.field(default=None, description="The quote.")


@strawberry.input(description="The plan, as it was quoted.")
class ChangeTierInput:
    tier: Tier = strawberry.field(description="The plan of the quote.")
    quote_id: strawberry.ID = strawberry.field(description="Of previewTierChange.")
    idempotency_key: str = strawberry.field(description=KEY)
    interval: Interval | None = strawberry.field(default=None, description="That of the quote unless given.")


@strawberry.type(description="The subscription after a change.")
class ChangeTierPayload(Payload):
    subscription: Subscription | None = strawberry.field(
        default=None,
        description="The paid one that was changed; INCOMPLETE while its first payment is missing.",
    )
    client_secret: str | None = strawberry.field(
        default=None,
        description="For the payment provider's form, where the payer has to pay or to authenticate.",
    )
    setup_client_secret: str | None = strawberry.field(
        default=None,
        description="For the payment provider's form, to save a way to pay before the trial ends.",
    )


@strawberry.input(description="How to end the subscription.")
class CancelSubscriptionInput:
    idempotency_key: str = strawberry.field(description=KEY)
    at_period_end: bool = strawberry.field(
        default=True, description="False ends it at once; nothing is paid back."
    )


@strawberry.type(description="The subscription.")
class CancelSubscriptionPayload(Payload):
    subscription: Subscription | None = strawberry.field(default=None, description="As it is now.")


@strawberry.input(description="Take back what would come at the end of the period.")
class ResumeSubscriptionInput:
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.type(description="The subscription.")
class ResumeSubscriptionPayload(Payload):
    subscription: Subscription | None = strawberry.field(default=None, description="As it is now.")
