"""purchases, receipt_counters, licences, downloads: what was bought, the right to it, and its delivery."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Currency, Id, at_least, currency_code, one_of
from app.domain.purchases import LicenceStatus, PurchaseStatus

_OPEN = text("status IN ('pending', 'completed')")


class Purchase(Base):
    """The amount is the price at the time of buying, in minor units; it is split when it was paid.

    ``reservation_id``: what is promised of the buyer's templates while it is pending, and used once paid.
    """

    __tablename__ = "purchases"
    __table_args__ = (
        one_of("status", PurchaseStatus),
        currency_code(),
        at_least("amount_cents"),
        CheckConstraint("status <> 'completed' OR completed_at IS NOT NULL", name="completed_has_a_date"),
        Index(
            "uq_purchases_open",
            "user_id",
            "package_id",
            unique=True,
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        ),
        Index(None, "user_id", "id"),
        Index(None, "package_id", "id"),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    package_id: Mapped[UUID] = mapped_column(ForeignKey("packages.id"))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("package_versions.id"))
    status: Mapped[str] = mapped_column(String(24))
    amount_cents: Mapped[int]
    currency: Mapped[Currency]
    receipt_number: Mapped[str | None] = mapped_column(String(32), unique=True)
    created_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    commission_cents: Mapped[int | None]
    author_share_cents: Mapped[int | None]
    reservation_id: Mapped[UUID | None]


class ReceiptCounter(Base):
    """The last receipt number of a year: raised in the purchase's transaction, so that none is missing."""

    __tablename__ = "receipt_counters"
    __table_args__ = (at_least("last_number", 1),)

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_number: Mapped[int]


class Licence(Base):
    """``document`` is the signed file as the buyer keeps it."""

    __tablename__ = "licences"
    __table_args__ = (one_of("status", LicenceStatus), Index(None, "user_id", "id"))

    id: Mapped[Id]
    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchases.id"), unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    status: Mapped[str] = mapped_column(String(16))
    document: Mapped[str] = mapped_column(Text)
    issued_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Download(Base):
    """One single-use link; ``covered`` are the byte ranges [start, end) that were delivered.

    While a request delivers, it holds ``reservation_id`` until ``running_until``. Without ``purchase_id`` the
    link is the author's own or staff's.
    """

    __tablename__ = "downloads"
    __table_args__ = (
        at_least("delivered_bytes"),
        CheckConstraint("(reservation_id IS NULL) = (running_until IS NULL)", name="running_holds_a_slot"),
        CheckConstraint("completed_at IS NULL OR reservation_id IS NULL", name="completed_has_ended"),
        Index(None, "user_id", "id"),
        Index(None, "expires_at"),
    )

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    purchase_id: Mapped[UUID | None] = mapped_column(ForeignKey("purchases.id"))
    file_id: Mapped[UUID] = mapped_column(ForeignKey("package_files.id"))
    covered: Mapped[list[Any]]
    delivered_bytes: Mapped[int]
    reservation_id: Mapped[UUID | None] = mapped_column(ForeignKey("usage_reservations.id"))
    running_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
