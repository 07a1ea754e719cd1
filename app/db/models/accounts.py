"""users, sessions and their refresh tokens, mailed links, sign-in guards."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Id, one_of
from app.domain.accounts import LinkPurpose
from app.domain.api_keys import Role
from app.domain.plans import Tier


class User(Base):
    """A deleted account keeps its row, anonymised: the books refer to it."""

    __tablename__ = "users"
    __table_args__ = (
        one_of("role", Role),
        one_of("tier", Tier),
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("(deleted_at IS NULL) OR (password_hash = '')", name="deleted_has_no_password"),
        Index("uq_users_stripe_customer_id", "stripe_customer_id", unique=True),
    )

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    username: Mapped[str] = mapped_column(String(64))
    username_key: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str | None] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    tier: Mapped[str] = mapped_column(String(16))
    email_verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    stripe_customer_id: Mapped[str | None] = mapped_column(String(255))


class Session(Base):
    """One sign-in: the family of the refresh tokens that follow from it."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id", "created_at"), Index(None, "expires_at"))

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    user_agent: Mapped[str | None] = mapped_column(String(255))
    address: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoke_reason: Mapped[str | None] = mapped_column(String(32))


class RefreshToken(Base):
    """A used token stays until its session is pruned, so that its reuse is recognised."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index(None, "session_id"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class MailedLink(Base):
    """Single-use links to verify an address or to reset a password; only the hash is kept."""

    __tablename__ = "mailed_links"
    __table_args__ = (
        one_of("purpose", LinkPurpose),
        Index(None, "user_id", "purpose"),
        Index(None, "expires_at"),
    )

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[str] = mapped_column(String(16))
    email: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInGuard(Base):
    """The recent failures of one account name or address; ``failures`` are ISO timestamps."""

    __tablename__ = "sign_in_guards"
    __table_args__ = (Index(None, "updated_at"),)

    subject: Mapped[str] = mapped_column(String(300), primary_key=True)
    failures: Mapped[list[Any]]
    locked_until: Mapped[datetime | None]
    updated_at: Mapped[datetime]
