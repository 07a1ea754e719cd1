"""Payouts: what authors are paid, by transfer or by hand, and which of them are open."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import Author, Payout, User
from app.db.repositories.keyset import read_page
from app.db.rows import Row
from app.domain.ledger import PayoutMethod, PayoutStatus
from app.domain.paging import Page, Slice

PAYOUT: tuple[Any, ...] = (
    Payout.id,
    Payout.author_id,
    Payout.amount_cents,
    Payout.returned_cents,
    Payout.currency,
    Payout.status,
    Payout.method,
    Payout.destination,
    Payout.reference,
    Payout.stripe_transfer_id,
    Payout.failure_code,
    Payout.created_at,
    Payout.paid_at,
)


_COUNT = select(func.count(Payout.id))
_WITH_AUTHOR = (*PAYOUT, Author.user_id.label("author_user_id"))
PAYOUTS = select(*_WITH_AUTHOR).join(Author, Author.id == Payout.author_id)
"""With whose they are; that is None for an imported author."""


async def page_of(connection: AsyncConnection, *, status: PayoutStatus | None, page: Page) -> Slice[Row]:
    """The newest first."""
    statement = select(*PAYOUT) if status is None else select(*PAYOUT).where(Payout.status == status)
    return await read_page(connection, statement, keys=[(Payout.id, True)], page=page, order="id")


async def count(connection: AsyncConnection, *, status: PayoutStatus | None) -> int:
    statement = _COUNT if status is None else _COUNT.where(Payout.status == status)
    return int((await connection.execute(statement)).scalar_one())


async def add(
    connection: AsyncConnection,
    *,
    payout_id: UUID,
    author_id: UUID,
    amount_cents: int,
    currency: str,
    destination: str | None,
    requested_by: UUID,
    check_at: datetime | None,
    now: datetime,
) -> None:
    """Without ``destination`` it is paid by hand."""
    await connection.execute(
        insert(Payout).values(
            id=payout_id,
            author_id=author_id,
            amount_cents=amount_cents,
            returned_cents=0,
            currency=currency,
            status=PayoutStatus.PENDING,
            method=PayoutMethod.MANUAL if destination is None else PayoutMethod.TRANSFER,
            destination=destination,
            requested_by=requested_by,
            created_at=now,
            updated_at=now,
            check_at=check_at,
        )
    )


async def by_id(connection: AsyncConnection, payout_id: UUID) -> Row | None:
    return (await connection.execute(select(*PAYOUT).where(Payout.id == payout_id))).one_or_none()


async def as_told(connection: AsyncConnection, payout_id: UUID) -> Row | None:
    """With whom it is told to; None for an unknown payout, an imported author and a deleted account."""
    statement = (
        select(*PAYOUT, User.email, User.username)
        .join(Author, Author.id == Payout.author_id)
        .join(User, User.id == Author.user_id)
        .where(Payout.id == payout_id, User.deleted_at.is_(None))
    )
    return (await connection.execute(statement)).one_or_none()


async def lock(connection: AsyncConnection, payout_id: UUID) -> Row | None:
    """Nobody changes it until the transaction ends; before its author in the order of locks."""
    statement = select(*PAYOUT).where(Payout.id == payout_id).with_for_update(key_share=True)
    return (await connection.execute(statement)).one_or_none()


async def change(
    connection: AsyncConnection, payout_id: UUID, *, status: PayoutStatus, now: datetime, **values: Any
) -> None:
    """Whoever changes it has locked it; nothing of it is open any more."""
    await connection.execute(
        update(Payout)
        .where(Payout.id == payout_id)
        .values(status=status, updated_at=now, check_at=None, **values)
    )


async def claim_due(
    connection: AsyncConnection, *, limit: int, now: datetime, again_at: datetime
) -> Sequence[UUID]:
    """Open ones that it is time to look at, each one's until ``again_at``."""
    due = (
        select(Payout.id)
        .where(Payout.check_at.is_not(None), Payout.check_at <= now)
        .order_by(Payout.check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(Payout)
        .where(Payout.id.in_(due.scalar_subquery()), Payout.check_at <= now)
        .values(check_at=again_at)
        .returning(Payout.id)
    )
    return (await connection.execute(statement)).scalars().all()


async def payee_of(connection: AsyncConnection, author_id: UUID) -> Row | None:
    statement = select(Author.id, Author.stripe_account_id, Author.transfers_enabled)
    return (await connection.execute(statement.where(Author.id == author_id))).one_or_none()


async def record_account(connection: AsyncConnection, author_id: UUID, *, account_id: str) -> None:
    """One that was recorded before stays."""
    statement = update(Author).where(Author.id == author_id, Author.stripe_account_id.is_(None))
    await connection.execute(statement.values(stripe_account_id=account_id))


async def note_account(connection: AsyncConnection, *, account_id: str, enabled: bool) -> None:
    await connection.execute(
        update(Author).where(Author.stripe_account_id == account_id).values(transfers_enabled=enabled)
    )
