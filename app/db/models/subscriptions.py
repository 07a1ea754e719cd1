"""subscriptions: at most one live one an account; the plans' prices, quotes and changes of tier."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, and_, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Currency, Id, at_least, currency_code, one_of
from app.domain.plans import Interval, Tier
from app.domain.subscriptions import LIVE, ChangeKind, ChangeStatus, SubscriptionStatus

_LIVE = text("status IN ({}) AND superseded_at IS NULL".format(", ".join(f"'{status}'" for status in LIVE)))
_TO_CHECK = text("check_at IS NOT NULL")


class Subscription(Base):
    """``anchor_at`` fixes the day and the time of day at which usage's monthly periods turn.

    It passes from each subscription of an account to the next, so that no change of tier resets usage.
    ``price_cents`` is for a ``billing_interval``; ``scheduled_*`` is what follows at the period's end.
    ``stripe_default_method_id`` pays it, rather than its customer's default; None: that one does.
    ``superseded_at``: it runs at the provider, but another one gives the account its tier.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        one_of("tier", Tier),
        one_of("status", SubscriptionStatus),
        CheckConstraint("current_period_end > current_period_start", name="period_runs_forward"),
        one_of("billing_interval", Interval),
        one_of("scheduled_tier", Tier, nullable=True),
        one_of("scheduled_interval", Interval, nullable=True),
        Index(
            "uq_subscriptions_live_user", "user_id", unique=True, postgresql_where=_LIVE, sqlite_where=_LIVE
        ),
        Index(None, "user_id", "created_at"),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    tier: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(24))
    anchor_at: Mapped[datetime]
    current_period_start: Mapped[datetime]
    current_period_end: Mapped[datetime]
    cancel_at_period_end: Mapped[bool]
    stripe_subscription_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    billing_interval: Mapped[str] = mapped_column(String(8), server_default=Interval.MONTH)
    price_cents: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    trial_end: Mapped[datetime | None]
    past_due_since: Mapped[datetime | None]
    scheduled_tier: Mapped[str | None] = mapped_column(String(16))
    scheduled_interval: Mapped[str | None] = mapped_column(String(8))
    stripe_schedule_id: Mapped[str | None] = mapped_column(String(255))
    stripe_default_method_id: Mapped[str | None] = mapped_column(String(255))
    superseded_at: Mapped[datetime | None]


LIVE_ROW = and_(Subscription.status.in_(LIVE), Subscription.superseded_at.is_(None))
"""The row that gives an account its tier and the anchor of its months."""


class PlanPrice(Base):
    """The provider's price of a plan: made once for each amount that the plan ever cost."""

    __tablename__ = "plan_prices"
    __table_args__ = (
        one_of("tier", Tier),
        one_of("billing_interval", Interval),
        currency_code(),
        at_least("amount_cents", 1),
        UniqueConstraint("tier", "billing_interval", "amount_cents", "currency"),
    )

    id: Mapped[Id]
    tier: Mapped[str] = mapped_column(String(16))
    billing_interval: Mapped[str] = mapped_column(String(8))
    amount_cents: Mapped[int]
    currency: Mapped[Currency]
    stripe_price_id: Mapped[str] = mapped_column(String(255), unique=True)
    created_at: Mapped[datetime]


class TierQuote(Base):
    """What a change of tier costs, as it was told; ``fingerprint`` is of the subscription it was told for."""

    __tablename__ = "tier_quotes"
    __table_args__ = (
        one_of("tier", Tier),
        one_of("billing_interval", Interval),
        currency_code(),
        CheckConstraint("length(fingerprint) = 64", name="fingerprint_is_sha256"),
        Index(None, "user_id", "id"),
        Index(None, "expires_at"),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    tier: Mapped[str] = mapped_column(String(16))
    billing_interval: Mapped[str] = mapped_column(String(8))
    due_now_cents: Mapped[int]
    due_next_cents: Mapped[int]
    currency: Mapped[Currency]
    proration_at: Mapped[datetime]
    fingerprint: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class TierChange(Base):
    """A change that was asked for: written down before the provider is asked, settled afterwards.

    ``check_at``: when the sweeper finishes what a crash left open, or what waits for its payer is looked at
    again; None: it is settled.
    """

    __tablename__ = "tier_changes"
    __table_args__ = (
        one_of("tier", Tier),
        one_of("billing_interval", Interval),
        one_of("kind", ChangeKind),
        one_of("status", ChangeStatus),
        Index(None, "user_id", "id"),
        Index("uq_tier_changes_quote_id", "quote_id", unique=True),
        Index("ix_tier_changes_check_at", "check_at", postgresql_where=_TO_CHECK, sqlite_where=_TO_CHECK),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    quote_id: Mapped[UUID | None] = mapped_column(ForeignKey("tier_quotes.id", ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(16))
    tier: Mapped[str] = mapped_column(String(16))
    billing_interval: Mapped[str] = mapped_column(String(8))
    status: Mapped[str] = mapped_column(String(16))
    details: Mapped[dict[str, Any]]
    failure_code: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    check_at: Mapped[datetime | None]
