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
from app.db.models.outbox import AuditEntry, IdempotencyKey, OutboxFact
from app.db.models.payments import Payment, PaymentMethod, Refund, WebhookEvent
from app.db.models.purchases import Download, Licence, Purchase, ReceiptCounter
from app.db.models.subscriptions import Subscription
from app.db.models.usage import UsageCounter, UsageEvent, UsageReservation

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Author",
    "Base",
    "Category",
    "Download",
    "IdempotencyKey",
    "Invoice",
    "InvoiceLine",
    "Licence",
    "MailedLink",
    "OutboxFact",
    "Package",
    "PackageCategory",
    "PackageFile",
    "PackageTag",
    "PackageVersion",
    "Payment",
    "PaymentMethod",
    "Purchase",
    "ReceiptCounter",
    "RefreshToken",
    "Refund",
    "Review",
    "Session",
    "SignInGuard",
    "Subscription",
    "Upload",
    "UsageCounter",
    "UsageEvent",
    "UsageReservation",
    "User",
    "WebhookEvent",
]
