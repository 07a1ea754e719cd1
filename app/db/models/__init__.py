"""Every table; importing this package fills ``Base.metadata``."""

from app.db.models.accounts import MailedLink, RefreshToken, Session, SignInGuard, User
from app.db.models.api_keys import ApiKey
from app.db.models.base import Base
from app.db.models.catalog import (
    Author,
    Category,
    Package,
    PackageCategory,
    PackageFile,
    PackageTag,
    PackageVersion,
    Review,
    Upload,
)
from app.db.models.invoices import Invoice, InvoiceLine
from app.db.models.ledger import LedgerEntry, LedgerLine, Payout
from app.db.models.outbox import AuditEntry, IdempotencyKey, OutboxFact
from app.db.models.payments import Dispute, ObjectLease, Payment, PaymentMethod, Refund, WebhookEvent
from app.db.models.purchases import Download, Licence, Purchase, ReceiptCounter
from app.db.models.subscriptions import PlanPrice, Subscription, TierChange, TierQuote
from app.db.models.usage import UsageCounter, UsageEvent, UsageReservation

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Author",
    "Base",
    "Category",
    "Dispute",
    "Download",
    "IdempotencyKey",
    "Invoice",
    "InvoiceLine",
    "LedgerEntry",
    "LedgerLine",
    "Licence",
    "MailedLink",
    "ObjectLease",
    "OutboxFact",
    "Package",
    "PackageCategory",
    "PackageFile",
    "PackageTag",
    "PackageVersion",
    "Payment",
    "PaymentMethod",
    "Payout",
    "PlanPrice",
    "Purchase",
    "ReceiptCounter",
    "RefreshToken",
    "Refund",
    "Review",
    "Session",
    "SignInGuard",
    "Subscription",
    "TierChange",
    "TierQuote",
    "Upload",
    "UsageCounter",
    "UsageEvent",
    "UsageReservation",
    "User",
    "WebhookEvent",
]
