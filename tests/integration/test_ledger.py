"""The books: every entry once, each sums to zero, and an author is owed what the sales that stand say."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DatabaseError

from app.db.database import Database
from app.db.ids import new_id
from app.db.models import Author, LedgerEntry, LedgerLine
from app.db.repositories import ledger as writing
from app.domain.commission import Split
from app.domain.ledger import Account, EntryKind, Line, Unbalanced
from app.settlement import ledger
from tests.support.factories import NOW
from tests.support.ledger import (
    TERMS,
    assert_books_balance,
    balance_of,
    entries,
    make_shelf,
    owed,
    paid_sales,
    refund,
)


async def test_a_sale_is_split_once_and_held(database: Database) -> None:
    shelf = await make_shelf(database)
    purchase_id = await shelf.purchase()
    assert await shelf.record(purchase_id, 999) == Split(199, 800)
    assert await shelf.record(purchase_id, 999, now=NOW + timedelta(days=1)) == Split(199, 800)
    assert (await entries(database), await paid_sales(database, shelf.author.id)) == (1, 1)
    assert await owed(database, shelf.author.id) == 800
    assert await balance_of(database, Account.CASH) == 999
    assert await balance_of(database, Account.COMMISSION) == -199
    async with database.read() as connection:
        held = select(LedgerLine.available_at).where(LedgerLine.author_id == shelf.author.id)
        assert (await connection.execute(held)).scalar_one() == NOW + TERMS.hold
    await assert_books_balance(database)


@pytest.mark.parametrize(
    ("before", "commissions"), [(499, [200, 150, 150]), (500, [150, 150, 150]), (4_999, [150, 100, 100])]
)
async def test_the_rate_changes_after_exactly_so_many_sales(
    database: Database, before: int, commissions: list[int]
) -> None:
    shelf = await make_shelf(database)
    async with database.transaction() as connection:
        await connection.execute(update(Author).values(paid_sales=before))
    assert [(await shelf.record(await shelf.purchase())).commission_cents for _ in range(3)] == commissions


async def test_sales_at_the_border_that_complete_at_once_are_counted_one_by_one(database: Database) -> None:
    shelf = await make_shelf(database)
    async with database.transaction() as connection:
        await connection.execute(update(Author).values(paid_sales=495))
    purchases = [await shelf.purchase() for _ in range(10)]
    parts = await asyncio.gather(*(shelf.record(each) for each in purchases))
    assert sorted(part.commission_cents for part in parts) == [150] * 5 + [200] * 5
    assert await paid_sales(database, shelf.author.id) == 505
    await assert_books_balance(database)


async def test_parts_of_a_refund_take_back_exactly_the_share(database: Database) -> None:
    shelf = await make_shelf(database)
    purchase_id = await shelf.sell(999)
    for part in [1, 332, 333]:
        await refund(database, purchase_id, part)
    assert await owed(database, shelf.author.id) == 800 - 800 * 666 // 999
    assert await paid_sales(database, shelf.author.id) == 1
    await refund(database, purchase_id, 333)
    assert await owed(database, shelf.author.id) == 0
    assert [await balance_of(database, each) for each in Account] == [0, 0, 0, 0]
    assert await paid_sales(database, shelf.author.id) == 0  # what went back counts for no rate
    await assert_books_balance(database)


async def test_a_refund_is_written_once_and_a_failed_one_is_undone_once(database: Database) -> None:
    shelf = await make_shelf(database)
    purchase_id = await shelf.sell(1_000)
    refund_id = new_id()
    given = {"refund_id": refund_id, "purchase_id": purchase_id, "now": NOW}
    async with database.transaction() as connection:
        assert not await ledger.record_refund_failed(connection, **given)
        assert await ledger.record_refund(connection, **given, amount_cents=1_000)
        assert not await ledger.record_refund(connection, **given, amount_cents=1_000)
    assert (await owed(database, shelf.author.id), await paid_sales(database, shelf.author.id)) == (0, 0)
    async with database.transaction() as connection:
        assert await ledger.record_refund_failed(connection, **given)
        assert not await ledger.record_refund_failed(connection, **given)
    assert (await owed(database, shelf.author.id), await paid_sales(database, shelf.author.id)) == (800, 1)
    await assert_books_balance(database)


async def test_a_dispute_withholds_and_is_decided_once(database: Database) -> None:
    shelf = await make_shelf(database)
    purchase_id = await shelf.sell(1_000)
    dispute_id = new_id()
    given = {"dispute_id": dispute_id, "purchase_id": purchase_id, "now": NOW}
    async with database.transaction() as connection:
        assert not await ledger.record_dispute_won(connection, **given)
        assert await ledger.record_dispute_opened(connection, **given, amount_cents=1_000)
        assert not await ledger.record_dispute_opened(connection, **given, amount_cents=1_000)
    assert await owed(database, shelf.author.id) == 800  # still the author's, and not to be had
    assert await balance_of(database, Account.DISPUTED) == 1_000
    assert await balance_of(database, Account.CASH) == 0
    async with database.transaction() as connection:
        assert await ledger.record_dispute_won(connection, **given)
        assert not await ledger.record_dispute_won(connection, **given)
        assert not await ledger.record_dispute_lost(connection, **given, amount_cents=1_000)
    assert [await balance_of(database, each) for each in Account] == [1_000, -800, -200, 0]
    await assert_books_balance(database)


async def test_a_dispute_that_is_first_seen_lost_takes_everything(database: Database) -> None:
    shelf = await make_shelf(database)
    purchase_id = await shelf.sell(1_000)
    given = {"dispute_id": new_id(), "purchase_id": purchase_id, "now": NOW}
    async with database.transaction() as connection:
        assert await ledger.record_dispute_lost(connection, **given, amount_cents=1_000)
        assert not await ledger.record_dispute_lost(connection, **given, amount_cents=1_000)
    assert [await balance_of(database, each) for each in Account] == [0, 0, 0, 0]
    assert (await entries(database), await paid_sales(database, shelf.author.id)) == (3, 0)
    await assert_books_balance(database)


async def test_a_dispute_that_is_won_after_it_was_lost_gives_everything_back_once(database: Database) -> None:
    shelf = await make_shelf(database)
    purchase_id = await shelf.sell(1_000)
    given = {"dispute_id": new_id(), "purchase_id": purchase_id, "now": NOW}
    async with database.transaction() as connection:
        assert await ledger.record_dispute_lost(connection, **given, amount_cents=1_000)
        assert await ledger.record_dispute_won(connection, **given)
        assert not await ledger.record_dispute_won(connection, **given)
        assert not await ledger.record_dispute_lost(connection, **given, amount_cents=1_000)
    assert [await balance_of(database, each) for each in Account] == [1_000, -800, -200, 0]
    assert (await entries(database), await paid_sales(database, shelf.author.id)) == (4, 1)
    assert await owed(database, shelf.author.id) == 800
    await assert_books_balance(database)


async def test_what_the_bank_takes_beyond_the_sale_is_ours_to_bear(database: Database) -> None:
    shelf = await make_shelf(database)
    purchase_id = await shelf.sell(1_000)
    await refund(database, purchase_id, 600)
    async with database.transaction() as connection:
        await ledger.record_dispute_lost(
            connection, dispute_id=new_id(), purchase_id=purchase_id, amount_cents=1_000, now=NOW
        )
    assert [await balance_of(database, each) for each in Account] == [-600, 0, 600, 0]
    await assert_books_balance(database)


async def test_of_what_was_never_sold_nothing_is_written(database: Database) -> None:
    shelf = await make_shelf(database)
    purchase_id = await shelf.purchase()
    async with database.transaction() as connection:
        given = {"purchase_id": purchase_id, "amount_cents": 5, "now": NOW}
        assert not await ledger.record_refund(connection, refund_id=new_id(), **given)
        assert not await ledger.record_dispute_lost(connection, dispute_id=new_id(), **given)
    assert await entries(database) == 0


async def test_lines_that_do_not_sum_to_zero_are_never_written(database: Database) -> None:
    given = {"kind": EntryKind.SALE, "source": "x", "purchase_id": None, "currency": "USD", "now": NOW}
    async with database.transaction() as connection:
        with pytest.raises(Unbalanced):
            await writing.post(connection, **given, lines=[Line(Account.CASH, 1)])
    assert await entries(database) == 0


@pytest.mark.parametrize("currency", ["USD", "EUR"])
async def test_the_database_itself_refuses_an_entry_that_does_not_balance(
    database: Database, currency: str
) -> None:
    if database.dialect == "sqlite":
        pytest.skip(
            "SQLite cannot look when a transaction ends: the repository does, which alone writes there"
        )
    entry_id, line_id = new_id(), new_id()
    entry = {
        "id": entry_id,
        "kind": "sale",
        "source": "x",
        "currency": "EUR",
        "occurred_at": NOW,
        "month": "2026-01",
        "created_at": NOW,
    }
    lines = [
        {"id": line_id, "entry_id": entry_id, "account": "cash", "amount_cents": 5, "currency": currency},
        {
            "id": new_id(),
            "entry_id": entry_id,
            "account": "commission",
            "amount_cents": -5,
            "currency": currency,
        },
    ]
    with pytest.raises(DatabaseError, match="does not balance"):
        await _written(database, entry, lines[: 1 if currency == "EUR" else 2])
    assert await entries(database) == 0


async def _written(database: Database, entry: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    async with database.transaction() as connection:
        await connection.execute(insert(LedgerEntry).values(entry))
        await connection.execute(insert(LedgerLine), lines)


@pytest.mark.parametrize("table", [LedgerEntry, LedgerLine])
async def test_what_is_written_stays(database: Database, table: type[LedgerEntry] | type[LedgerLine]) -> None:
    shelf = await make_shelf(database)
    await shelf.sell(1_000)
    for statement in (delete(table), update(table).values(currency="EUR")):
        with pytest.raises(DatabaseError, match="what is in the ledger stays"):
            async with database.transaction() as connection:
                await connection.execute(statement)
    assert await owed(database, shelf.author.id) == 800
