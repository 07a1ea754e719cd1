"""How what is read most often is written as JSON by PostgreSQL: by GraphQL's own names of types and fields.

Fields that need more than their row (what the viewer owns, the period of a plan that nobody pays) are not
here, and what asks for one of them is answered by the loaders.
"""

from typing import Any

from sqlalchemy import select

from app.dataloaders.accounts import AccountLoaders
from app.dataloaders.catalog import CatalogLoaders
from app.dataloaders.invoices import InvoiceLoaders
from app.dataloaders.loader import loader
from app.db.models import Author as AuthorRow
from app.db.models import Subscription as SubscriptionRow
from app.db.models import User as UserRow
from app.db.models.subscriptions import LIVE_ROW
from app.db.projections import Child, Page, Part, Projection
from app.db.projections.written import column, global_id, instant, member, members, sql
from app.db.repositories.accounts import USER
from app.db.repositories.authors import AUTHOR
from app.db.repositories.keyset import PagedList
from app.db.repositories.subscriptions import SUBSCRIPTION
from app.domain.api_keys import Role, Scope
from app.domain.lifecycle import PackageStatus, VersionStatus
from app.domain.payments import InvoiceStatus
from app.domain.plans import Interval, Tier
from app.domain.subscriptions import SubscriptionStatus


def lists_of(pages: loader[Any, Any]) -> PagedList:
    assert pages.lists is not None
    return pages.lists


def money(cents: str) -> Part:
    return Part(Projection(amountCents=column(cents), currency=column("currency")), unless_null=cents)


API_KEY = Projection(
    id=global_id("ApiKey"),
    name=column("name"),
    prefix=column("prefix"),
    scopes=members("scopes", Scope),
    createdAt=instant("created_at"),
    expiresAt=instant("expires_at"),
    revokedAt=instant("revoked_at"),
    lastUsedAt=instant("last_used_at"),
)
SUBSCRIPTION_SHOWN = Projection(
    id=global_id("Subscription"),
    tier=member("tier", Tier),
    interval=member("billing_interval", Interval),
    price=money("price_cents"),
    status=member("status", SubscriptionStatus),
    cancelAtPeriodEnd=column("cancel_at_period_end"),
    scheduledTier=member("scheduled_tier", Tier),
    trialEnd=instant("trial_end"),
    pastDueSince=instant("past_due_since"),
    createdAt=instant("created_at"),
    endedAt=instant("ended_at"),
)
INVOICE = Projection(
    id=global_id("Invoice"),
    number=column("number"),
    receiptNumber=column("receipt_number"),
    description=column("description"),
    status=member("status", InvoiceStatus),
    subtotal=money("subtotal_cents"),
    discount=money("discount_cents"),
    tax=money("tax_cents"),
    taxIncluded=money("tax_included_cents"),
    other=money("adjustment_cents"),
    total=money("total_cents"),
    amountDue=money("amount_due_cents"),
    amountPaid=money("amount_paid_cents"),
    periodStart=instant("period_start"),
    periodEnd=instant("period_end"),
    issuedAt=instant("issued_at"),
    dueAt=instant("due_at"),
    paidAt=instant("paid_at"),
    attemptCount=column("attempt_count"),
    nextAttemptAt=instant("next_attempt_at"),
    hostedUrl=column("hosted_url"),
)
LISTED_PACKAGES = Page(lists_of(CatalogLoaders.listed_pages), lambda: PACKAGE)
VERSIONS = Page(lists_of(CatalogLoaders.version_pages), lambda: VERSION)
API_KEYS = Page(lists_of(AccountLoaders.api_key_pages), lambda: API_KEY)
INVOICES = Page(lists_of(InvoiceLoaders.pages), lambda: INVOICE)
USER_SHOWN = Projection(
    id=global_id("User"),
    email=column("email"),
    username=column("username"),
    displayName=column("display_name"),
    emailVerified=sql("({row}.email_verified_at IS NOT NULL)"),
    role=member("role", Role),
    tier=member("tier", Tier),
    createdAt=instant("created_at"),
    subscription=Child(
        select(*SUBSCRIPTION).where(LIVE_ROW), SubscriptionRow.user_id, lambda: SUBSCRIPTION_SHOWN
    ),
    apiKeys=API_KEYS,
    invoices=INVOICES,
)
USER_BY_ID = Child(select(*USER).where(UserRow.deleted_at.is_(None)), UserRow.id, lambda: USER_SHOWN)

VERSION: Projection = Projection(
    id=global_id("PackageVersion"),
    version=column("version"),
    changelog=column("changelog"),
    status=member("status", VersionStatus),
    yankReason=column("yank_reason"),
    publishedAt=instant("published_at"),
    yankedAt=instant("yanked_at"),
)
AUTHOR_SHOWN = Projection(
    id=global_id("Author"), username=column("username"), createdAt=instant("created_at")
)
PACKAGE: Projection = Projection(
    id=global_id("Package"),
    slug=column("slug"),
    name=column("name"),
    license=column("license"),
    price=money("price_cents"),
    downloads=column("downloads"),
    # As `reviews.average`: to two decimals, halves up.
    rating=sql(
        "((200 * {row}.rating_sum + {row}.rating_count)"
        " / nullif(2 * {row}.rating_count, 0))::double precision / 100"
    ),
    ratingCount=column("rating_count"),
    status=member("status", PackageStatus),
    createdAt=instant("created_at"),
    updatedAt=instant("updated_at"),
    publishedAt=instant("published_at"),
    author=Child(select(*AUTHOR), AuthorRow.id, lambda: AUTHOR_SHOWN, parent="author_id"),
    versions=VERSIONS,
)
