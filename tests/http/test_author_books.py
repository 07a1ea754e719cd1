"""What an author sees of the books over the API: balances, statements, and nobody else's."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.db.database import Database
from app.db.ids import new_id
from app.domain.api_keys import Role, Scope, grantable
from app.schema.node import global_id
from app.settlement import ledger
from tests.integration.test_query_plans import refuse_scans
from tests.support.clients import Account, Api, make_key, sign_up, sign_up_as
from tests.support.factories import make_author, user_named
from tests.support.ledger import Shelf, make_shelf, refund
from tests.support.statements import counted, recorded

BALANCE = """query($id: ID!) { node(id: $id) { ... on Author { username balance { currency
    available { amountCents } pending { amountCents } withheld { amountCents } paidOut { amountCents }
    lifetime { amountCents } minimumPayout { formatted } } } } }"""
STATEMENTS = """query($id: ID!, $first: Int, $after: String) { node(id: $id) { ... on Author {
    statements(first: $first, after: $after) { totalCount pageInfo { endCursor hasNextPage } edges { node {
        currency periodStart periodEnd opening { amountCents } sales { amountCents } commission { amountCents }
        refunds { amountCents } disputes { amountCents } payouts { amountCents } closing { amountCents }
    } } } } } }"""
MANY = """query($ids: [ID!]!) { nodes(ids: $ids) { ... on Author { balance { available { formatted } }
    statements(first: 2) { totalCount edges { node { closing { formatted } } } } } } }"""


async def selling(api: Api, database: Database, name: str = "olive") -> tuple[Account, Shelf, str]:
    """By a key, which lasts when the clock is moved."""
    account = await sign_up(api, name=name)
    account.api = api.as_(await make_key(account, *(scope.name for scope in grantable(Role.CUSTOMER))))
    shelf = await make_shelf(database, user=await user_named(database, name))
    return account, shelf, global_id("Author", shelf.author.id)


def amounts(found: dict[str, Any]) -> dict[str, Any]:
    """Amounts as numbers, other fields as they are."""
    return {
        key: each["amountCents"] if "amountCents" in (each or {}) else each for key, each in found.items()
    }


async def balance(account: Account, author_id: str) -> list[dict[str, Any]]:
    found = (await account.api(BALANCE, id=author_id)).payload()
    return [
        amounts(
            {k: v for k, v in each.items() if k != "currency"}
            | {"minimumPayout": each["minimumPayout"]["formatted"]}
        )
        for each in found["balance"]
    ]


async def test_a_share_is_pending_then_available_and_may_be_withheld_or_taken_back(
    api: Api, database: Database
) -> None:
    account, shelf, author_id = await selling(api, database)
    assert await balance(account, author_id) == []
    dollars = await shelf.sell(1_000, now=api.clock())
    euros = await shelf.sell(500, currency="EUR", now=api.clock())
    euro = {
        "available": 0,
        "pending": 400,
        "withheld": 0,
        "paidOut": 0,
        "lifetime": 400,
        "minimumPayout": "€10.00",
    }
    held = {
        "available": 0,
        "pending": 800,
        "withheld": 0,
        "paidOut": 0,
        "lifetime": 800,
        "minimumPayout": "$10.00",
    }
    assert await balance(account, author_id) == [euro, held]
    api.clock.forward(days=14, seconds=-1)
    assert await balance(account, author_id) == [euro, held]
    api.clock.forward(seconds=1)
    assert (await balance(account, author_id))[1] == held | {"available": 800, "pending": 0}
    async with database.transaction() as connection:
        given = {"dispute_id": new_id(), "purchase_id": euros, "now": api.clock()}
        await ledger.record_dispute_opened(connection, **given, amount_cents=500)
    assert (await balance(account, author_id))[0] == euro | {"withheld": 400, "pending": 0}
    await refund(database, dollars, 1_000, now=api.clock())
    assert (await balance(account, author_id))[1] == held | {"pending": 0, "lifetime": 0}


async def test_statements_add_up_from_month_to_month(api: Api, database: Database) -> None:
    account, shelf, author_id = await selling(api, database)
    first = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
    purchase_id = await shelf.sell(1_000, now=first)
    await shelf.sell(2_000, now=first + timedelta(seconds=1))
    await refund(database, purchase_id, 500, now=first + timedelta(days=35))
    await shelf.sell(300, currency="EUR", now=first)
    found = (await account.api(STATEMENTS, id=author_id)).payload()["statements"]
    rows = [amounts(edge["node"]) for edge in found["edges"]]
    assert found["totalCount"] == 4
    assert [(row["periodStart"][:10], row["periodEnd"][:10], row["currency"]) for row in rows] == [
        ("2026-03-01", "2026-04-01", "USD"),
        ("2026-02-01", "2026-03-01", "USD"),
        ("2026-01-01", "2026-02-01", "EUR"),
        ("2026-01-01", "2026-02-01", "USD"),
    ]
    numbers = ["opening", "sales", "commission", "refunds", "disputes", "payouts", "closing"]
    assert [[row[name] for name in numbers] for row in rows] == [
        [2_400, 0, 0, 400, 0, 0, 2_000],
        [800, 2_000, 400, 0, 0, 0, 2_400],
        [0, 300, 60, 0, 0, 0, 240],
        [0, 1_000, 200, 0, 0, 0, 800],
    ]


async def test_statements_come_in_pages(api: Api, database: Database) -> None:
    account, shelf, author_id = await selling(api, database)
    start = datetime(2025, 12, 15, tzinfo=UTC)
    for month in range(5):
        for currency in ("EUR", "USD"):
            await shelf.sell(100, currency=currency, now=start + timedelta(days=31 * month))
    whole = (await account.api(STATEMENTS, id=author_id, first=100)).payload()["statements"]["edges"]
    seen, after = [], None
    while True:
        page = (await account.api(STATEMENTS, id=author_id, first=3, after=after)).payload()["statements"]
        seen += page["edges"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert (seen, len(seen)) == (whole, 10)


@pytest.mark.parametrize("field", ["balance { currency }", "statements { totalCount }"])
async def test_the_books_are_the_authors_and_staffs(api: Api, database: Database, field: str) -> None:
    account, shelf, author_id = await selling(api, database)
    await shelf.sell(1_000)
    imported = global_id("Author", (await make_author(database)).id)
    stranger, support = await sign_up(api), await sign_up_as(api, Role.SUPPORT)
    document = f"query($id: ID!) {{ node(id: $id) {{ ... on Author {{ username {field} }} }} }}"
    writing = api.as_(await make_key(account, Scope.WRITE.name))
    for asking, asked, code in [
        (api, author_id, "UNAUTHENTICATED"),
        (writing, author_id, "FORBIDDEN"),
        (stranger.api, author_id, "FORBIDDEN"),
        (account.api, author_id, None),
        (support.api, author_id, None),
        (account.api, imported, "FORBIDDEN"),
        (support.api, imported, None),
    ]:
        answer = await asking(document, id=asked)
        assert answer.code == code
        assert answer.data["node"]["username"]  # what is public stays so
        assert (answer.data["node"][field.partition(" ")[0]] is None) is (code is not None)


async def test_many_authors_are_asked_as_one_without_a_scan(api: Api, database: Database) -> None:
    staff = await sign_up_as(api, Role.ADMIN)
    shelves = [await make_shelf(database) for _ in range(6)]
    for shelf in shelves:
        await shelf.sell(1_000)
    sent = []
    for some in (2, 6):
        with counted(api.deps.database) as seen:
            ids = [global_id("Author", shelf.author.id) for shelf in shelves[:some]]
            assert len((await staff.api(MANY, ids=ids)).payload()) == some
        sent.append(len(seen))
    assert sent[0] == sent[1]
    if database.dialect == "sqlite":
        with recorded(api.deps.database) as statements:
            await staff.api(MANY, ids=ids)
            await staff.api(MANY, ids=ids[:1])
        await refuse_scans(database, statements)
