"""The states of a purchase and of its licence, and what money that went back makes of them."""

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum

from app.domain.payments import DISPUTED, DisputeStatus


class PurchaseStatus(StrEnum):
    PENDING = "pending"
    COMPLETED = "completed"
    CANCELED = "canceled"
    REFUNDED = "refunded"


OPEN = (PurchaseStatus.PENDING, PurchaseStatus.COMPLETED)
"""At most one such purchase an account and package."""


PROMISED_FOR = timedelta(days=90)
"""So long one of the buyer's templates is kept for a payment: longer than any bank takes."""


class LicenceStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


def licence_of(*, paid_cents: int, refunded_cents: int, disputes: Collection[str]) -> LicenceStatus:
    """What the licence of a paid purchase is: a function of where the money is, whatever happened in between.

    ``refunded_cents`` counts refunds that have not failed; ``disputes`` are their states.
    """
    if refunded_cents >= paid_cents or DisputeStatus.LOST in disputes:
        return LicenceStatus.REVOKED
    if any(status in DISPUTED for status in disputes):
        return LicenceStatus.SUSPENDED
    return LicenceStatus.ACTIVE


def purchase_with(licence: LicenceStatus) -> PurchaseStatus:
    """A purchase whose money went back, by refunds or by the payer's bank, is one that may be made again."""
    return PurchaseStatus.REFUNDED if licence is LicenceStatus.REVOKED else PurchaseStatus.COMPLETED
