"""subscriptions: at most one live one an account."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Id, one_of
from app.domain.plans import Tier
from app.domain.subscriptions import LIVE, SubscriptionStatus

_LIVE = text("status IN ({})".format(", ".join(f"'{status}'" for status in LIVE)))


class Subscription(Base):
    """``anchor_at`` fixes the day and the time of day at which the monthly periods turn."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        one_of("tier", Tier),
        one_of("status", SubscriptionStatus),
        CheckConstraint("current_period_end > current_period_start", name="period_runs_forward"),
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
