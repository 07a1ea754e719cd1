"""Sales to put into the books, and the books as a whole."""

from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

import app.domain.commission
from app.db.database import Database
from app.db.ids import new_id
from app.db.models import Author, LedgerEntry, LedgerLine
from app.db.repositories import payouts
from app.db.repositories.ledger import post
from app.domain import ledger as books
from app.domain.commission import Split, Terms, load_terms
from app.domain.ledger import Account, EntryKind
from app.settlement import ledger
from tests.support.factories import NOW, make_author, make_package, make_purchase, make_user, make_version

COMMISSION = resources.files(app.domain).joinpath("commission.toml").read_text(encoding="utf-8")
TERMS: Terms = load_terms(COMMISSION)


@dataclass
class Shelf:
    """One author's package, and somebody who buys."""

    database: Database
    author: SimpleNamespace
    package: SimpleNamespace
    version: SimpleNamespace
    buyer: SimpleNamespace

    async def purchase(self, **given: object) -> UUID:
        """A row that is paid; nothing of it is in the books yet."""
        values = {"user": self.buyer, "package": self.package, "version": self.version, "licence": None}
        made = await make_purchase(self.database, **values, status="refunded", **given)
        return UUID(str(made.id))

    async def sell(self, amount_cents: int = 1_000, *, currency: str = "USD", now: datetime = NOW) -> UUID:
        purchase_id = await self.purchase()
        await self.record(purchase_id, amount_cents, currency=currency, now=now)
        return purchase_id

    async def record(
        self, purchase_id: UUID, amount_cents: int = 1_000, *, currency: str = "USD", now: datetime = NOW
    ) -> Split:
        async with self.database.transaction() as connection:
            return await ledger.record_sale(
                connection,
                terms=TERMS,
                purchase_id=purchase_id,
                author_id=self.author.id,
                amount_cents=amount_cents,
                currency=currency,
                now=now,
            )


async def make_shelf(database: Database, *, user: SimpleNamespace | None = None, author: Any = None) -> Shelf:
    author = author or await make_author(database, user=user)
    package = await make_package(database, author=author, price_cents=1_000)
    version = await make_version(database, package=package)
    return Shelf(database, author, package, version, await make_user(database))


async def refund(database: Database, purchase_id: UUID, amount_cents: int, *, now: datetime = NOW) -> UUID:
    refund_id = new_id()
    async with database.transaction() as connection:
        await ledger.record_refund(
            connection, refund_id=refund_id, purchase_id=purchase_id, amount_cents=amount_cents, now=now
        )
    return refund_id


async def open_by_hand(database: Database, author: Any, cents: int = 5_000) -> UUID:
    """An open payout, and as much beside it that is available."""
    payout_id = new_id()
    given: dict[str, Any] = {"author_id": author.id, "amount_cents": cents, "currency": "USD", "now": NOW}
    async with database.transaction() as connection:
        await post(
            connection,
            kind=EntryKind.SALE,
            source=str(payout_id),
            purchase_id=None,
            currency="USD",
            lines=books.sale(parts=Split(0, 2 * cents), author_id=author.id, available_at=NOW),
            now=NOW,
        )
        await payouts.add(
            connection,
            payout_id=payout_id,
            destination=None,
            requested_by=author.user_id,
            check_at=None,
            **given,
        )
        await ledger.record_payout(connection, source=str(payout_id), **given)
    return payout_id


async def owed(database: Database, author_id: UUID) -> int:
    """Everything that the books owe an author, withheld or not."""
    statement = select(func.coalesce(func.sum(LedgerLine.amount_cents), 0))
    async with database.read() as connection:
        found = await connection.execute(statement.where(LedgerLine.author_id == author_id))
        return -int(found.scalar_one())


async def balance_of(database: Database, account: Account) -> int:
    statement = select(func.coalesce(func.sum(LedgerLine.amount_cents), 0))
    async with database.read() as connection:
        found = await connection.execute(statement.where(LedgerLine.account == account))
        return int(found.scalar_one())


async def paid_sales(database: Database, author_id: UUID) -> int:
    async with database.read() as connection:
        found = await connection.execute(select(Author.paid_sales).where(Author.id == author_id))
        return int(found.scalar_one())


async def entries(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(LedgerEntry))).scalar_one())


async def assert_books_balance(database: Database) -> None:
    """Each entry for itself, in its own currency, and with it all of them."""
    sums = (
        select(LedgerEntry.id, LedgerEntry.currency, func.sum(LedgerLine.amount_cents).label("rest"))
        .join(
            LedgerLine,
            (LedgerLine.entry_id == LedgerEntry.id) & (LedgerLine.currency == LedgerEntry.currency),
        )
        .group_by(LedgerEntry.id, LedgerEntry.currency)
    )
    total = select(func.count()).select_from(LedgerLine)
    same = (
        select(func.count())
        .select_from(LedgerLine)
        .join(LedgerEntry, LedgerEntry.currency == LedgerLine.currency)
    )
    async with database.read() as connection:
        rests = (await connection.execute(sums)).all()
        assert [row for row in rests if row.rest != 0] == []
        lines = (await connection.execute(total)).scalar_one()
        assert (
            await connection.execute(same.where(LedgerEntry.id == LedgerLine.entry_id))
        ).scalar_one() == lines
