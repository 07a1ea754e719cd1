"""The states of a subscription, in the payment provider's terms."""

from enum import StrEnum


class SubscriptionStatus(StrEnum):
    INCOMPLETE = "incomplete"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    PAUSED = "paused"
    CANCELED = "canceled"
    INCOMPLETE_EXPIRED = "incomplete_expired"


LIVE = (
    SubscriptionStatus.TRIALING,
    SubscriptionStatus.ACTIVE,
    SubscriptionStatus.PAST_DUE,
    SubscriptionStatus.UNPAID,
    SubscriptionStatus.PAUSED,
)
"""The states in which a subscription gives the account its tier: at most one such row an account."""


class ChangeKind(StrEnum):
    """What was asked of a subscription."""

    START = "start"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    CANCEL = "cancel"
    RESUME = "resume"


class ChangeStatus(StrEnum):
    REQUESTED = "requested"
    APPLIED = "applied"
    FAILED = "failed"
