"""usage_events, usage_counters, usage_reservations: what happened, its sums, and what is promised."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Id, at_least, one_of
from app.domain.plans import Resource
from app.domain.usage import REGISTRATION, ReservationState

_HELD = text("state = 'held'")


class UsageEvent(Base):
    """One fact; ``event_key`` makes a reported one count once per reporter."""

    __tablename__ = "usage_events"
    __table_args__ = (
        one_of("resource", [*Resource, REGISTRATION]),
        CheckConstraint("amount <> 0", name="amount_not_zero"),
        Index(None, "user_id", "resource", "period_start"),
        Index("uq_usage_events_reporter_event_key", "reporter_id", "event_key", unique=True),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    resource: Mapped[str] = mapped_column(String(32))
    amount: Mapped[int]
    period_start: Mapped[datetime]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    reporter_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    event_key: Mapped[str | None] = mapped_column(String(255))


class UsageCounter(Base):
    """The sums of a period; a gauge (storage, running installations) has one row, at the epoch."""

    __tablename__ = "usage_counters"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "resource", "period_start"),
        one_of("resource", Resource),
        at_least("used"),
        at_least("reserved"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    resource: Mapped[str] = mapped_column(String(32))
    period_start: Mapped[datetime]
    used: Mapped[int]
    reserved: Mapped[int]


class UsageReservation(Base):
    """An amount promised until it is committed, released, or expires."""

    __tablename__ = "usage_reservations"
    __table_args__ = (
        one_of("resource", Resource),
        one_of("state", ReservationState),
        at_least("amount", 1),
        Index(
            "ix_usage_reservations_held", "user_id", "resource", postgresql_where=_HELD, sqlite_where=_HELD
        ),
        Index("ix_usage_reservations_expiring", "expires_at", postgresql_where=_HELD, sqlite_where=_HELD),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    resource: Mapped[str] = mapped_column(String(32))
    period_start: Mapped[datetime]
    amount: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
