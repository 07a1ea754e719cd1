"""Which facts leave a transaction, and how often acting on one is tried."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

MAX_ATTEMPTS = 10
LEASE = timedelta(seconds=60)


class FactState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"


class Topic(StrEnum):
    VERIFY_EMAIL = "account.verify_email"
    RESET_PASSWORD = "account.reset_password"  # noqa: S105 - a topic, not a password
    PASSWORD_CHANGED = "account.password_changed"  # noqa: S105 - a topic, not a password
    EMAIL_CHANGED = "account.email_changed"
    QUOTA_NEAR = "quota.near"
    QUOTA_REACHED = "quota.reached"
    CUSTOMER_CHANGED = "account.customer_changed"
    ACCOUNT_ENDED = "account.ended"
    """``customer_id``: what it pays for at the provider ends too."""
    DEFAULT_MISSING = "payment_method.default_missing"
    """``customer_id``; a key for each newest payment method."""
    METHOD_REMOVED = "payment_method.removed"
    """``customer_id``, ``method_id``; a key for each."""
    INVOICE_COLLECTABLE = "invoice.collectable"
    """``subscription_id``, ``method_id``: what is open may be paid by a method that was given since."""
    INTENT_ABANDONED = "payment.intent_abandoned"
    """``intent_id``: its purchase is over without it, and it could still be paid; a key for each."""
    PURCHASE_COMPLETED = "purchase.completed"
    INVOICE_ISSUED = "invoice.issued"
    """``invoice_id``; key ``invoice.issued:{invoice_id}``. Those of invoices are stated by their mirror."""
    INVOICE_OVERDUE = "invoice.overdue"
    """``invoice_id``; key ``invoice.overdue:{invoice_id}``. Stated when it is issued, for its due date."""
    INVOICE_PAID = "invoice.paid"
    """``invoice_id``; key ``invoice.paid:{invoice_id}``."""
    INVOICE_PAYMENT_FAILED = "invoice.payment_failed"
    """``invoice_id``, ``attempt``; key
    ``invoice.payment_failed:{invoice_id}:{attempt}``. A step of dunning."""
    TRIAL_ENDING = "subscription.trial_ending"
    """``subscription_id``; key ``subscription.trial_ending:{subscription_id}:{trial_end}``."""
    SUBSCRIPTION_CHANGED = "subscription.changed"
    """``subscription_id``; another plan, one that follows, an end that was set or taken back."""
    SUBSCRIPTION_ENDED = "subscription.ended"
    """``subscription_id``; key ``subscription.ended:{subscription_id}``."""
    REFUND_ISSUED = "refund.issued"
    """``refund_id``; key ``refund.issued:{refund_id}``."""
    PAYOUT_PAID = "payout.paid"
    """``payout_id``; key ``payout.paid:{payout_id}``. By transfer, or by hand."""
    PAYOUT_RETURNED = "payout.returned"
    """``payout_id``; a key for each way: it was refused, or all of it came back later."""
    PRUNE = "schedule.prune"
    RECONCILE = "schedule.reconcile"


def slot_key(topic: Topic, every: timedelta, *, now: datetime) -> str:
    """One for all processes and moments of a slot; slots follow each other from the first of January 1970."""
    begun = datetime.fromtimestamp(now.timestamp() // every.total_seconds() * every.total_seconds(), UTC)
    return f"{topic}@{begun:%Y-%m-%dT%H:%M:%SZ}"


def retry_delay(attempts: int) -> timedelta:
    """Doubling from one second, at most an hour."""
    return timedelta(seconds=min(2.0 ** (attempts - 1), 3600))
