"""The accounts of the double-entry ledger, and what moves money between them."""

from enum import StrEnum


class Account(StrEnum):
    CASH = "cash"
    """What the payment provider holds for us."""
    AUTHOR_PAYABLE = "author_payable"
    """What is owed to one author."""
    COMMISSION = "commission"
    """What is ours of a sale."""
    DISPUTED = "disputed"
    """What a payer's bank has taken until a dispute is decided."""


class EntryKind(StrEnum):
    SALE = "sale"
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    PAYOUT = "payout"
    PAYOUT_FAILED = "payout_failed"


class PayoutMethod(StrEnum):
    TRANSFER = "transfer"
    MANUAL = "manual"


class PayoutStatus(StrEnum):
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"
