"""The states of a subscription, in the payment provider's terms, and what stands beside them."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.plans import Interval, Tier


class SubscriptionStatus(StrEnum):
    INCOMPLETE = "incomplete"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    PAUSED = "paused"
    CANCELED = "canceled"
    INCOMPLETE_EXPIRED = "incomplete_expired"


LIVE = (SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)
"""The states in which a subscription gives the account its tier: one such row an account, always.

Whoever pays nothing has a row of the free plan, without an id of the provider's. It stands beside a
subscription that is incomplete, unpaid or paused, and begins anew when a paid one ends.
"""
OVER = (SubscriptionStatus.CANCELED, SubscriptionStatus.INCOMPLETE_EXPIRED)
"""What is over never comes back."""


class Outlook(StrEnum):
    """What becomes of a subscription at the end of its period."""

    CONTINUES = "continues"
    CHANGES = "changes"
    """Another plan follows, or the same by another interval."""
    ENDS = "ends"


class ChangeKind(StrEnum):
    """What was asked of a subscription."""

    START = "start"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    CANCEL = "cancel"
    RESUME = "resume"


class ChangeStatus(StrEnum):
    REQUESTED = "requested"
    WAITING = "waiting"
    """For its payer, at the provider: nothing has changed so far."""
    APPLIED = "applied"
    FAILED = "failed"


@dataclass(frozen=True)
class Offer:
    """A plan by the month or by the year."""

    tier: Tier
    interval: Interval
