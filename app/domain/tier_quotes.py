"""What would another plan cost, and for how long does that hold?

A quote is told for the subscription as it stands and for the plan's price as it is: when either is another
one, the quote does not hold any more, however young it is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.domain.idempotency import fingerprint
from app.domain.money import Money
from app.domain.subscriptions import Offer

LASTS = timedelta(minutes=15)


@dataclass(frozen=True)
class QuoteLine:
    """A line of the invoice that would come; ``is_proration``: for a part of the running period.

    ``is_period``: the plan's, for a whole period of it (or its trial); every other line comes once.
    """

    description: str
    amount: Money
    period_start: datetime
    period_end: datetime
    is_proration: bool
    is_period: bool


@dataclass(frozen=True)
class Quote:
    """``next_billing_at`` None: nothing is billed any more. ``due_next`` is before what is decided later."""

    id: UUID
    offer: Offer
    lines: tuple[QuoteLine, ...]
    due_now: Money
    due_next: Money
    next_billing_at: datetime | None
    trial_end: datetime | None
    expires_at: datetime

    @property
    def proration(self) -> Money:
        """What the parts of the running period come to; negative: less than what was paid for it."""
        cents = sum(line.amount.amount_cents for line in self.lines if line.is_proration)
        return Money(cents, self.due_now.currency)


def fingerprint_of(subscription: Any, offer: Offer, *, price: Money | None, trial_days: int) -> str:
    """Of everything that the answer depends on; ``subscription``: the account's paid one, or None."""
    names = (
        "stripe_subscription_id", "status", "tier", "billing_interval", "price_cents", "cancel_at_period_end",
        "scheduled_tier", "scheduled_interval",
    )  # fmt: skip
    standing = {name: getattr(subscription, name) for name in names} if subscription else {}
    end = subscription.current_period_end.isoformat() if subscription else None
    wanted = (offer.tier, offer.interval, price and price.amount_cents, price and price.currency, trial_days)
    return fingerprint({**standing, "period_end": end, "wanted": repr(tuple(map(str, wanted)))})
