"""The closed sets of the domain as GraphQL enums: who takes them from here finds them declared."""

import strawberry

from app.domain.api_keys import Role, Scope
from app.domain.ledger import PayoutMethod, PayoutStatus
from app.domain.lifecycle import PackageAction, PackageStatus, VersionStatus
from app.domain.listing import PackageSort
from app.domain.outbox import FactState as JobState
from app.domain.payments import DisputeStatus, InvoiceStatus, PaymentStatus, RefundStatus, WebhookStatus
from app.domain.plans import Interval, Resource, Tier
from app.domain.purchases import LicenceStatus, PurchaseStatus
from app.domain.subscriptions import SubscriptionStatus

__all__ = [
    "DisputeStatus",
    "Interval",
    "InvoiceStatus",
    "JobState",
    "LicenceStatus",
    "PackageAction",
    "PackageSort",
    "PackageStatus",
    "PaymentStatus",
    "PayoutMethod",
    "PayoutStatus",
    "PurchaseStatus",
    "RefundStatus",
    "Resource",
    "Role",
    "Scope",
    "SubscriptionStatus",
    "Tier",
    "VersionStatus",
    "WebhookStatus",
]

strawberry.enum(
    DisputeStatus,
    description="The states of a dispute, in the payment provider's terms. "
    "WARNING_… is an inquiry: nothing is taken yet.",
)
strawberry.enum(Interval, name="BillingInterval", description="How often a plan is paid.")
strawberry.enum(
    JobState,
    name="JobState",
    description="WAITING: for its time, or to be tried again. DEAD: given up after the last attempt.",
)
strawberry.enum(
    WebhookStatus,
    description="RECEIVED and FAILED wait to be acted on, at first and again. PROCESSED: its objects were "
    "looked up and brought up to date. IGNORED: there was nothing to do. DEAD: given up after many attempts.",
)
strawberry.enum(InvoiceStatus, description="The states of an invoice, in the payment provider's terms.")
strawberry.enum(LicenceStatus, description="Whether a licence still gives its right.")
strawberry.enum(PaymentStatus, description="The states of a payment, in the payment provider's terms.")
strawberry.enum(
    PayoutMethod, description="TRANSFER: by the payment provider. MANUAL: by a person, who then says so."
)
strawberry.enum(
    PayoutStatus,
    description="PENDING has left the balance and is not known to be paid. FAILED, CANCELED and REVERSED are "
    "in the balance again; REVERSED was paid before.",
)
strawberry.enum(PurchaseStatus, description="The states of a purchase.")
strawberry.enum(RefundStatus, description="The states of a refund, in the payment provider's terms.")
strawberry.enum(PackageAction, description="What may happen to a package.")
strawberry.enum(Resource, description="What a plan limits.")
strawberry.enum(Role, description="What an account is in the marketplace.")
strawberry.enum(Scope, name="ApiKeyScope", description="What a key may do.")
strawberry.enum(
    SubscriptionStatus, description="The states of a subscription, in the payment provider's terms."
)
strawberry.enum(Tier, description="The plans, by name.")
strawberry.enum(
    PackageSort,
    description="The order of a list. RELEVANCE is how well the query is answered; without a query it is "
    "DOWNLOADS. NAME begins with A, every other order with the most.",
)
strawberry.enum(
    PackageStatus, description="DRAFT is seen by its author only; YANKED is not to be had any more."
)
strawberry.enum(VersionStatus, description="YANKED: taken back by its author, and not to be had any more.")
