"""ledger_entries, ledger_lines, payouts: who is owed what, in double entry."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Currency, Id, at_least, currency_code, one_of
from app.domain.ledger import Account, EntryKind, PayoutMethod, PayoutStatus

_TO_CHECK = text("check_at IS NOT NULL")


class LedgerEntry(Base):
    """One event in the books, once for each ``source``; its lines sum to zero.

    ``purchase_id``: of the sale, and of everything that took of it or gave back. ``month``: in UTC: 2026-11.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        one_of("kind", EntryKind),
        currency_code(),
        UniqueConstraint("kind", "source"),
        Index(None, "purchase_id"),
    )

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(32))
    source: Mapped[str] = mapped_column(String(255))
    purchase_id: Mapped[UUID | None] = mapped_column(ForeignKey("purchases.id"))
    currency: Mapped[Currency]
    occurred_at: Mapped[datetime]
    month: Mapped[str] = mapped_column(String(7))
    created_at: Mapped[datetime]


class LedgerLine(Base):
    """Minor units of the entry's currency: positive is a debit, negative a credit.

    ``available_at``: from when an author's share may be paid out; None: withheld while it is disputed.
    """

    __tablename__ = "ledger_lines"
    __table_args__ = (
        one_of("account", Account),
        CheckConstraint("amount_cents <> 0", name="amount_moves"),
        CheckConstraint("(account = 'author_payable') = (author_id IS NOT NULL)", name="author_is_named"),
        Index(None, "entry_id"),
        Index("ix_ledger_lines_author", "author_id", "currency", "available_at", "amount_cents", "entry_id"),
    )

    id: Mapped[Id]
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entries.id"))
    account: Mapped[str] = mapped_column(String(32))
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("authors.id"))
    amount_cents: Mapped[int]
    currency: Mapped[Currency]
    available_at: Mapped[datetime | None]


class Payout(Base):
    """What an author is paid: by a transfer at the provider, or by hand.

    ``destination``: the account at the provider that a transfer goes to, as it was when it was asked for.
    ``returned_cents``: how much of it came back. ``check_at``: when the sweeper asks what became of it.
    """

    __tablename__ = "payouts"
    __table_args__ = (
        one_of("status", PayoutStatus),
        one_of("method", PayoutMethod),
        currency_code(),
        at_least("amount_cents", 1),
        at_least("returned_cents"),
        CheckConstraint("returned_cents <= amount_cents", name="returned_within_amount"),
        CheckConstraint("(method = 'transfer') = (destination IS NOT NULL)", name="transfer_goes_somewhere"),
        CheckConstraint("status <> 'paid' OR paid_at IS NOT NULL", name="paid_has_a_date"),
        Index(None, "author_id", "id"),
        Index(None, "status", "id"),
        Index("ix_payouts_check_at", "check_at", postgresql_where=_TO_CHECK, sqlite_where=_TO_CHECK),
    )

    id: Mapped[Id]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("authors.id"))
    amount_cents: Mapped[int]
    returned_cents: Mapped[int]
    currency: Mapped[Currency]
    status: Mapped[str] = mapped_column(String(16))
    method: Mapped[str] = mapped_column(String(16))
    destination: Mapped[str | None] = mapped_column(String(255))
    reference: Mapped[str | None] = mapped_column(String(255))
    stripe_transfer_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    failure_code: Mapped[str | None] = mapped_column(String(64))
    requested_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    check_at: Mapped[datetime | None]
