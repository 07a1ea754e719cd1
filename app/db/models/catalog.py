"""authors, packages, package_versions, package_files, categories and tags, uploads."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Currency, Id, at_least, currency_code, one_of
from app.domain.lifecycle import PackageStatus, VersionStatus

_LISTED = text("status IN ('published', 'deprecated')")
_COUNTED = ("license", "author_id", "price_cents", "currency", "rating_sum", "rating_count")
BinarySortable = String(512).with_variant(String(512, collation="C"), "postgresql")


class Author(Base):
    """Who publishes; without ``user_id`` when imported from elsewhere.

    ``paid_sales`` are those that count for the commission. ``stripe_account_id`` is the account at the
    provider that is paid, and ``transfers_enabled`` whether it takes money yet.
    """

    __tablename__ = "authors"
    __table_args__ = (Index("uq_authors_stripe_account_id", "stripe_account_id", unique=True),)

    id: Mapped[Id]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), unique=True)
    username: Mapped[str] = mapped_column(String(64))
    username_key: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    stripe_account_id: Mapped[str | None] = mapped_column(String(255))
    transfers_enabled: Mapped[bool] = mapped_column(server_default=false())
    paid_sales: Mapped[int] = mapped_column(server_default="0")


class Package(Base):
    """``price_cents`` is in the currency's minor unit; 0 is free."""

    __tablename__ = "packages"
    __table_args__ = (
        one_of("status", PackageStatus),
        currency_code(),
        at_least("price_cents"),
        at_least("downloads"),
        at_least("sales"),
        at_least("rating_sum"),
        at_least("rating_count"),
        CheckConstraint("rating_sum BETWEEN rating_count AND 5 * rating_count", name="rating_adds_up"),
        CheckConstraint("status = 'draft' OR published_at IS NOT NULL", name="published_has_a_date"),
        Index(None, "author_id", "id"),
        # Covers counts, groups and joins: what is listed, and all that a filter or a facet reads of it.
        Index("ix_packages_counted", "id", "status", *_COUNTED),
        Index("ix_packages_by_downloads", "downloads", "id", postgresql_where=_LISTED, sqlite_where=_LISTED),
        Index("ix_packages_by_newest", "published_at", "id", postgresql_where=_LISTED, sqlite_where=_LISTED),
        Index("ix_packages_by_rating", "rating_score", "id", postgresql_where=_LISTED, sqlite_where=_LISTED),
        Index("ix_packages_by_name", "name_key", "id", postgresql_where=_LISTED, sqlite_where=_LISTED),
        Index("ix_packages_by_price", "price_cents", "id", postgresql_where=_LISTED, sqlite_where=_LISTED),
    )

    id: Mapped[Id]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("authors.id"))
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    name_key: Mapped[str] = mapped_column(BinarySortable)
    license: Mapped[str] = mapped_column(String(100))
    price_cents: Mapped[int]
    currency: Mapped[Currency]
    status: Mapped[str] = mapped_column(String(16))
    downloads: Mapped[int]
    sales: Mapped[int]
    rating_sum: Mapped[int]
    rating_count: Mapped[int]
    rating_score: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    # Last, because SQLite reads through the long texts to what stands behind them.
    description: Mapped[str] = mapped_column(Text)
    readme: Mapped[str | None] = mapped_column(Text)


class PackageVersion(Base):
    """``sort_key`` compares bytewise as semantic versions do."""

    __tablename__ = "package_versions"
    __table_args__ = (
        one_of("status", VersionStatus),
        UniqueConstraint("package_id", "version"),
        Index(None, "package_id", "sort_key"),
        CheckConstraint("(status = 'yanked') = (yanked_at IS NOT NULL)", name="yanked_has_a_date"),
    )

    id: Mapped[Id]
    package_id: Mapped[UUID] = mapped_column(ForeignKey("packages.id"))
    version: Mapped[str] = mapped_column(String(64))
    sort_key: Mapped[str] = mapped_column(BinarySortable)
    changelog: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))
    yank_reason: Mapped[str | None] = mapped_column(String(500))
    published_at: Mapped[datetime]
    yanked_at: Mapped[datetime | None]


class PackageFile(Base):
    """``position`` 0 is what a download gives unless another file is asked for."""

    __tablename__ = "package_files"
    __table_args__ = (
        UniqueConstraint("version_id", "path"),
        UniqueConstraint("version_id", "position"),
        at_least("size_bytes"),
        at_least("position"),
        CheckConstraint("length(sha256) = 64", name="sha256_is_hex"),
    )

    id: Mapped[Id]
    version_id: Mapped[UUID] = mapped_column(ForeignKey("package_versions.id"))
    position: Mapped[int]
    path: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    storage_key: Mapped[str] = mapped_column(String(255))


class Category(Base):
    __tablename__ = "categories"

    slug: Mapped[str] = mapped_column(String(50), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))


class PackageCategory(Base):
    __tablename__ = "package_categories"
    __table_args__ = (PrimaryKeyConstraint("package_id", "category"), Index(None, "category", "package_id"))

    package_id: Mapped[UUID] = mapped_column(ForeignKey("packages.id"))
    category: Mapped[str] = mapped_column(ForeignKey("categories.slug"))


class PackageTag(Base):
    __tablename__ = "package_tags"
    __table_args__ = (PrimaryKeyConstraint("package_id", "tag"), Index(None, "tag", "package_id"))

    package_id: Mapped[UUID] = mapped_column(ForeignKey("packages.id"))
    tag: Mapped[str] = mapped_column(String(50))


class Upload(Base):
    """A file on its way: announced, received, then taken by a version; what is not taken expires.

    ``sha256`` is what was received, ``expected_sha256`` what the client announced, if it did.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        one_of("state", ("announced", "received", "taken")),
        CheckConstraint("(state = 'announced') = (sha256 IS NULL)", name="received_is_hashed"),
        CheckConstraint(
            "expected_sha256 IS NULL OR sha256 IS NULL OR sha256 = expected_sha256",
            name="received_is_expected",
        ),
        at_least("size_bytes", 1),
        Index(None, "user_id", "id"),
        Index(None, "expires_at"),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    filename: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expected_sha256: Mapped[str | None] = mapped_column(String(64))
    sha256: Mapped[str | None] = mapped_column(String(64))
    storage_key: Mapped[str] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(16))
    reservation_id: Mapped[UUID | None] = mapped_column(ForeignKey("usage_reservations.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Review(Base):
    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating_in_range"),
        UniqueConstraint("package_id", "user_id"),
        Index(None, "package_id", "id"),
        Index(None, "user_id"),
    )

    id: Mapped[Id]
    package_id: Mapped[UUID] = mapped_column(ForeignKey("packages.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    rating: Mapped[int]
    title: Mapped[str | None] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
