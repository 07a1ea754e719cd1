"""outbox, idempotency_keys, audit_log: facts to act on, answers to repeat, deeds to remember."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Id, at_least, one_of
from app.domain.outbox import FactState

_WAITING = text("state = 'waiting'")


class OutboxFact(Base):
    """A fact stored with the business row it is about, acted on after the commit: the one table of jobs.

    Of facts with the same ``unique_key`` there is only the first.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        one_of("state", FactState),
        at_least("attempts"),
        Index("ix_outbox_waiting", "available_at", "id", postgresql_where=_WAITING, sqlite_where=_WAITING),
        Index(None, "state", "id"),
        Index("uq_outbox_unique_key", "unique_key", unique=True),
    )

    id: Mapped[Id]
    topic: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int]
    last_error: Mapped[str | None] = mapped_column(String(1000))
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    unique_key: Mapped[str | None] = mapped_column(String(255))


class IdempotencyKey(Base):
    """The first answer to a request, by account and operation; ``result_id`` is the row that it made."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        UniqueConstraint("user_id", "operation", "key"),
        CheckConstraint("length(request_hash) = 64", name="request_hash_is_sha256"),
        Index(None, "created_at"),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    operation: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(255))
    request_hash: Mapped[str] = mapped_column(String(64))
    result_id: Mapped[UUID]
    created_at: Mapped[datetime]


class AuditEntry(Base):
    """Who did what to which thing; never a secret in ``details``."""

    __tablename__ = "audit_log"
    __table_args__ = (Index(None, "subject_id", "id"), Index(None, "actor_id", "id"))

    id: Mapped[Id]
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    action: Mapped[str] = mapped_column(String(64))
    subject_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any]]
    address: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
