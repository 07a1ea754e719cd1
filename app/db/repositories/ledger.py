"""The ledger: entries and their lines, written once and never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import Author, LedgerEntry, LedgerLine
from app.domain.ledger import Account, EntryKind, Line, Written, balanced, month_of

_WRITTEN: tuple[Any, ...] = (
    LedgerEntry.kind,
    LedgerLine.account,
    LedgerLine.amount_cents,
    LedgerLine.author_id,
    LedgerLine.available_at,
)


async def hold_author(connection: AsyncConnection, author_id: UUID) -> int:
    """The author's sales that count; their books are nobody else's until the transaction ends."""
    statement = select(Author.paid_sales).where(Author.id == author_id).with_for_update(key_share=True)
    sales: int = (await connection.execute(statement)).scalar_one()
    return sales


async def count_sales(connection: AsyncConnection, author_id: UUID, number: int) -> None:
    """Whoever counts holds the author."""
    statement = update(Author).where(Author.id == author_id)
    await connection.execute(statement.values(paid_sales=Author.paid_sales + number))


async def post(
    connection: AsyncConnection,
    *,
    kind: EntryKind,
    source: str,
    purchase_id: UUID | None,
    currency: str,
    lines: Sequence[Line],
    now: datetime,
) -> bool:
    """False where this was written before, whatever the lines are. Raises Unbalanced."""
    moving = balanced(lines)
    entry_id = await _open(connection, kind, source, purchase_id, currency, now=now)
    if entry_id is None:
        return False
    rows = [
        {
            "id": new_id(),
            "entry_id": entry_id,
            "account": line.account,
            "author_id": line.author_id,
            "amount_cents": line.amount_cents,
            "currency": currency,
            "available_at": line.available_at,
        }
        for line in moving
    ]
    await connection.execute(insert(LedgerLine).values(rows))
    return True


async def _open(
    connection: AsyncConnection,
    kind: EntryKind,
    source: str,
    purchase_id: UUID | None,
    currency: str,
    *,
    now: datetime,
) -> UUID | None:
    dialect_insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = (
        dialect_insert(LedgerEntry)
        .values(
            id=new_id(),
            kind=kind,
            source=source,
            purchase_id=purchase_id,
            currency=currency,
            occurred_at=now,
            month=month_of(now),
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[LedgerEntry.kind, LedgerEntry.source])
        .returning(LedgerEntry.id)
    )
    return (await connection.execute(statement)).scalar_one_or_none()


async def sold_by(connection: AsyncConnection, purchase_id: UUID) -> tuple[UUID, str] | None:
    """(author, currency) of a sale that is in the books."""
    statement = (
        select(LedgerLine.author_id, LedgerLine.currency)
        .join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
        .where(
            LedgerEntry.kind == EntryKind.SALE,
            LedgerEntry.source == str(purchase_id),
            LedgerLine.account == Account.AUTHOR_PAYABLE,
        )
    )
    row = (await connection.execute(statement)).one_or_none()
    return (row.author_id, row.currency) if row else None


async def of_purchase(connection: AsyncConnection, purchase_id: UUID) -> list[Written]:
    return await _written(connection, LedgerEntry.purchase_id == purchase_id)


async def of_entry(connection: AsyncConnection, *, kind: EntryKind, source: str) -> list[Line]:
    """Empty where there is no such entry."""
    found = await _written(connection, (LedgerEntry.kind == kind) & (LedgerEntry.source == source))
    return [each.line for each in found]


async def _written(connection: AsyncConnection, which: Any) -> list[Written]:
    statement = select(*_WRITTEN).join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id).where(which)
    return [
        Written(
            EntryKind(row.kind),
            Line(Account(row.account), row.amount_cents, row.author_id, row.available_at),
        )
        for row in (await connection.execute(statement)).all()
    ]
