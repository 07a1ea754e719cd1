"""What authors are owed: balances by currency, statements by month, payouts."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from app.dataloaders.by_id import rows_by_id
from app.dataloaders.lists import counts_by_parent, pages_by_parent
from app.dataloaders.loader import LoaderGroup, loader
from app.db.database import Database
from app.db.models import Author, LedgerLine, Payout
from app.db.repositories.balances import STATEMENTS, owed
from app.db.repositories.payouts import PAYOUT, PAYOUTS
from app.db.rows import Row
from app.domain.ledger import PayoutStatus

STATEMENT_ORDER = "statements"
MOVED = (PayoutStatus.PENDING, PayoutStatus.PAID, PayoutStatus.REVERSED)
_PAID_OUT = (
    select(
        Payout.author_id,
        Payout.currency,
        func.sum(Payout.amount_cents - Payout.returned_cents).label("paid_out"),
    )
    .where(Payout.status.in_(MOVED))
    .group_by(Payout.author_id, Payout.currency)
)


class AuthorBookLoaders(LoaderGroup):
    statement_pages = pages_by_parent(
        select(STATEMENTS),
        STATEMENTS.c.author_id,
        keys=[(STATEMENTS.c.month, True), (STATEMENTS.c.currency, False)],
        order=STATEMENT_ORDER,
    )
    statement_counts = counts_by_parent(select(func.count(STATEMENTS.c.month)), STATEMENTS.c.author_id)

    payees = rows_by_id(select(Author.id, Author.transfers_enabled), Author.id)
    payouts = rows_by_id(PAYOUTS, Payout.id)
    payout_pages = pages_by_parent(select(*PAYOUT), Payout.author_id, keys=[(Payout.id, True)], order="id")
    payout_counts = counts_by_parent(select(func.count(Payout.id)), Payout.author_id)

    @loader
    @staticmethod
    async def balances(database: Database, asked: list[tuple[UUID, datetime]]) -> list[list[tuple[Row, int]]]:
        """Of (author, moment of the request): the sums by currency, and what was paid out of each."""
        ids, now = [author_id for author_id, _ in asked], asked[0][1]
        paid = _PAID_OUT.where(Payout.author_id.in_(ids))
        sums = owed(now).where(LedgerLine.author_id.in_(ids)).order_by(LedgerLine.currency)
        async with database.read() as connection:
            given = {row[:2]: int(row.paid_out) for row in (await connection.execute(paid)).all()}
            rows = (await connection.execute(sums)).all()
        found: dict[UUID, list[tuple[Row, int]]] = defaultdict(list)
        for row in rows:
            found[row.author_id].append((row, given.get(row[:2], 0)))
        return [found[author_id] for author_id in ids]
