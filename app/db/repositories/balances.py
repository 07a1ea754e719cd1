"""What the books owe authors, now and month by month: sums over their lines, by currency."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from app.db.models import Author, LedgerEntry, LedgerLine
from app.db.repositories.authors import AUTHOR
from app.db.repositories.keyset import read_page
from app.db.rows import Row, Select
from app.domain.ledger import Account, EntryKind
from app.domain.paging import Page, Slice

REFUNDS = (EntryKind.REFUND, EntryKind.REFUND_FAILED)
DISPUTES = (
    EntryKind.DISPUTE_OPENED,
    EntryKind.DISPUTE_WON,
    EntryKind.DISPUTE_LOST,
    EntryKind.DISPUTE_REVERSED,
)
PAYOUTS = (EntryKind.PAYOUT, EntryKind.PAYOUT_FAILED)


_COMMISSION = aliased(LedgerLine)


def _sum(amount: Any, which: ColumnElement[bool]) -> ColumnElement[int]:
    """0 of none; a whole number, which PostgreSQL's sum of such is not."""
    return cast(func.coalesce(func.sum(case((which, amount), else_=0)), 0), LedgerLine.amount_cents.type)


def owed(now: datetime) -> Select:
    """By author and currency, minor units that are owed: ``available``, ``pending``, ``withheld``."""
    amount, since = -LedgerLine.amount_cents, LedgerLine.available_at
    return select(
        LedgerLine.author_id,
        LedgerLine.currency,
        _sum(amount, since <= now).label("available"),
        _sum(amount, since > now).label("pending"),
        _sum(amount, since.is_(None)).label("withheld"),
    ).group_by(LedgerLine.author_id, LedgerLine.currency)


async def available(connection: AsyncConnection, author_id: UUID, *, currency: str, now: datetime) -> int:
    """What may be paid out; less than zero where more was taken back than came in since the last payout."""
    statement = owed(now).where(LedgerLine.author_id == author_id, LedgerLine.currency == currency)
    row = (await connection.execute(statement)).one_or_none()
    return int(row.available) if row else 0


async def payable(
    connection: AsyncConnection, *, currency: str, minimum_cents: int, page: Page, now: datetime
) -> Slice[Row]:
    """The authors of whom so much or more may be paid out in the currency, by their ids."""
    found = _payable(currency, minimum_cents, now)
    statement = select(*AUTHOR).join(found, found.c.author_id == Author.id)
    return await read_page(connection, statement, keys=[(Author.id, False)], page=page, order="payable")


async def count_payable(
    connection: AsyncConnection, *, currency: str, minimum_cents: int, now: datetime
) -> int:
    found = _payable(currency, minimum_cents, now)
    return int((await connection.execute(select(func.count(found.c.author_id)))).scalar_one())


def _payable(currency: str, minimum_cents: int, now: datetime) -> Any:
    sums = owed(now).where(LedgerLine.author_id.is_not(None), LedgerLine.currency == currency).subquery()
    return select(sums.c.author_id).where(sums.c.available >= minimum_cents).subquery()


def _months() -> Any:
    """What moved in each month that something moved in, by author and currency."""
    amount, kind = LedgerLine.amount_cents, LedgerEntry.kind
    sold = kind == EntryKind.SALE
    commission = and_(_COMMISSION.entry_id == LedgerEntry.id, _COMMISSION.account == Account.COMMISSION, sold)
    return (
        select(
            LedgerLine.author_id,
            LedgerLine.currency,
            LedgerEntry.month,
            _sum(-amount - func.coalesce(_COMMISSION.amount_cents, 0), sold).label("sales"),
            _sum(-_COMMISSION.amount_cents, _COMMISSION.id.is_not(None)).label("commission"),
            _sum(amount, kind.in_(REFUNDS)).label("refunds"),
            _sum(amount, kind.in_(DISPUTES)).label("disputes"),
            _sum(amount, kind.in_(PAYOUTS)).label("payouts"),
            _sum(-amount, LedgerLine.author_id.is_not(None)).label("change"),
        )
        .join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
        .outerjoin(_COMMISSION, commission)
        .where(LedgerLine.account == Account.AUTHOR_PAYABLE)
        .group_by(LedgerLine.author_id, LedgerLine.currency, LedgerEntry.month)
        .subquery()
    )


def _statements() -> Any:
    months = _months()
    closing = func.sum(months.c.change).over(
        partition_by=[months.c.author_id, months.c.currency], order_by=months.c.month
    )
    return select(months, cast(closing, LedgerLine.amount_cents.type).label("closing")).subquery()


STATEMENTS = _statements()
"""One row an author, currency and month: ``closing`` is owed at its end, ``change`` is what moved in it."""
