"""Which facts leave a transaction, and how often acting on one is tried."""

from datetime import timedelta
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
    PURCHASE_COMPLETED = "purchase.completed"


def retry_delay(attempts: int) -> timedelta:
    """Doubling from one second, at most an hour."""
    return timedelta(seconds=min(2.0 ** (attempts - 1), 3600))
