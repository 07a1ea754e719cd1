"""The states of payments, refunds, invoices and provider events, in the provider's terms."""

from datetime import datetime, timedelta
from enum import StrEnum


class PaymentStatus(StrEnum):
    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


PAYABLE = (
    PaymentStatus.REQUIRES_PAYMENT_METHOD,
    PaymentStatus.REQUIRES_CONFIRMATION,
    PaymentStatus.REQUIRES_ACTION,
)
"""The payer has something to do; nothing was taken, and it can be withdrawn."""
UNDECIDED = (*PAYABLE, PaymentStatus.PROCESSING)

_AUTHORISED = "requires_capture"
"""Somebody at the provider made it wait for a capture: nothing was taken, the payer has nothing to do."""


def payment_status(told: str) -> PaymentStatus:
    """What the provider says of an intent. Raises ValueError for a state that nobody has thought of."""
    return PaymentStatus.PROCESSING if told == _AUTHORISED else PaymentStatus(told)


COUNTED_OTHERWISE = frozenset({"ISK", "MGA", "UGX"})
"""Currencies whose amounts mean a hundred times less or more at the provider: nothing is sold in them.

Króna and shilling have no minor unit, and hundredths of them are counted there; the ariary has one, and
whole ones are counted: https://docs.stripe.com/currencies#special-cases
"""

STALE_AFTER = timedelta(hours=24)
"""So long a payment waits for its payer before it is withdrawn."""
FIRST_CHECK = timedelta(minutes=1)
"""After this, whoever waits for the provider's answer to a call has it or never will."""
_LONGEST_PAUSE = timedelta(hours=6)
_SHORTEST_PAUSE = timedelta(minutes=5)


def next_check(*, created_at: datetime, now: datetime) -> datetime:
    """When to ask again about what the provider will tell by itself: ever more seldom, at the end surely."""
    later = now + min(max(now - created_at, _SHORTEST_PAUSE), _LONGEST_PAUSE)
    stale_at = created_at + STALE_AFTER
    return min(later, stale_at) if now < stale_at else later


class RefundStatus(StrEnum):
    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


COUNTED_REFUNDS = (RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION, RefundStatus.SUCCEEDED)
"""They hold their part of the payment; the others have given it back."""


class DisputeStatus(StrEnum):
    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    PREVENTED = "prevented"
    WON = "won"
    LOST = "lost"


DISPUTED = (DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW)
"""The payer's bank holds the money. An inquiry (``warning_…``) and what was prevented take nothing."""
DECIDED = (
    DisputeStatus.WARNING_CLOSED,
    DisputeStatus.PREVENTED,
    DisputeStatus.WON,
    DisputeStatus.LOST,
)


class Flag(StrEnum):
    """Why a person has to look at a payment."""

    MISMATCH = "mismatch"
    """Amount, currency or customer are not those that were asked for: nothing was granted."""
    STRAY = "stray"
    """Money came for a purchase by an intent that is not the one we know."""
    RESTORED_TWICE = "restored_twice"
    """Money came back to a purchase whose buyer has bought the package again: it was paid twice."""


class InvoiceStatus(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    UNCOLLECTIBLE = "uncollectible"
    VOID = "void"


class WebhookStatus(StrEnum):
    RECEIVED = "received"
    PROCESSED = "processed"
    IGNORED = "ignored"
    FAILED = "failed"
    DEAD = "dead"
