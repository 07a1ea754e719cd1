"""The states of a purchase and of its licence."""

from enum import StrEnum


class PurchaseStatus(StrEnum):
    PENDING = "pending"
    COMPLETED = "completed"
    CANCELED = "canceled"
    REFUNDED = "refunded"


OPEN = (PurchaseStatus.PENDING, PurchaseStatus.COMPLETED)
"""At most one such purchase an account and package."""


class LicenceStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
