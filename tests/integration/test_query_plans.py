"""Does SQLite answer every root field through indexes, whatever the tables have grown to?"""

import re
from itertools import product
from typing import Any

import pytest

from app.api import Mutation, Query, accesses
from app.db.database import Database
from app.db.ids import new_id
from app.db.models import Base
from app.db.repositories import search
from app.domain.api_keys import Role
from app.schema.node import global_id, split_id
from tests.support import factories
from tests.support.clients import make_key
from tests.support.statements import recorded
from tests.support.world import CASES, LISTS, World, ask

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])
ACCESS = {**accesses(Query), **accesses(Mutation)}
SMALL = {"categories"}
"""Tables that are read whole, because they stay as small as what people read at one glance."""
SCANS = re.compile(r"SCAN (\w+)")


async def plans(database: Database, statements: list[tuple[str, Any]]) -> dict[str, list[str]]:
    """What SQLite says of each statement that reads."""
    found = {}
    async with database.read() as connection:
        for statement, parameters in statements:
            if statement.split(None, 1)[0] in ("SELECT", "WITH", "UPDATE", "DELETE"):
                rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                found[statement] = [row.detail for row in rows]
    return found


def scanned(plan: list[str]) -> list[str]:
    """The tables that it reads from one end to the other; not those of which it reads an index so."""
    whole = [found[1] for line in plan if (found := SCANS.fullmatch(line))]
    return [table for table in whole if table in Base.metadata.tables and table not in SMALL]


async def refuse_scans(database: Database, statements: list[tuple[str, Any]]) -> None:
    explained = await plans(database, statements)
    assert explained
    assert {statement: plan for statement, plan in explained.items() if scanned(plan)} == {}


async def test_a_scan_would_be_seen(database: Database) -> None:
    given = [
        ("SELECT * FROM users WHERE display_name = ?", ("x",)),
        (
            "SELECT * FROM purchases WHERE (user_id, package_id) IN (VALUES (?, ?), (?, ?))",
            ("a", "b", "c", "d"),
        ),
        ("SELECT * FROM users WHERE email = ?", ("x",)),
        ("SELECT * FROM categories", ()),
    ]
    found = await plans(database, given)
    assert [scanned(plan) for plan in found.values()] == [["users"], ["purchases"], [], []]


@pytest.mark.parametrize("field", sorted(CASES))
async def test_root_fields_scan_no_table(world: World, database: Database, field: str) -> None:
    account = world.owner if ACCESS[field].roles >= {Role.AUTHOR} else world.admin
    with recorded(world.api.deps.database) as seen:
        assert (await ask(account.api, world, field)).errors == []
    await refuse_scans(database, [*seen, *NOTHING])


NOTHING: list[tuple[str, Any]] = [("SELECT 1", ())]
"""Of fields that answer without the database."""


@pytest.mark.parametrize("field", sorted(LISTS))
async def test_lists_scan_no_table(world: World, database: Database, field: str) -> None:
    user = await factories.user_named(database, "olive")
    packages = []
    for _ in range(3):
        package = await factories.make_package(database, categories=["ui"], tags=["one"], ratings=[5])
        version = await factories.make_version(database, package=package)
        await factories.make_purchase(database, user=user, package=package, version=version)
        await factories.make_review(database, package=package, user=user)
        await make_key(world.owner, "READ")
        packages.append(package)
    ids = {"ids": [global_id("Package", package.id) for package in packages]} if field == "nodes" else {}
    with recorded(world.api.deps.database) as seen:
        assert (await world.owner.api(LISTS[field], **ids)).errors == []
    await refuse_scans(database, seen)


FILTERS = [
    "",
    "minRating: 4.5",
    'category: "ui"',
    'tag: "one"',
    'author: "olive"',
    'license: "MIT"',
    "free: true",
    "free: false",
    "minPriceCents: 1, maxPriceCents: 500",
    'minRating: 4, currency: "USD", free: true',
]
FOUND = "totalCount facets { licenses { value } ratings { count } } edges { node { slug } }"


SORTS = ["RELEVANCE", "DOWNLOADS", "NEWEST", "RATING", "NAME"]


@pytest.mark.parametrize("query", ["", 'query: "owned", '])
async def test_packages_are_found_without_a_scan(world: World, database: Database, query: str) -> None:
    _, package_id = split_id(world.package_id) or ("", new_id())
    async with database.transaction() as connection:
        await search.index(connection, package_id)
    with recorded(world.api.deps.database) as seen:
        for sort, asked in product(SORTS, FILTERS):
            answer = await world.api(
                f"{{ packages({query}sort: {sort}, filter: {{{asked}}}) {{ {FOUND} }} }}"
            )
            assert answer.errors == []
    await refuse_scans(database, seen)


@pytest.mark.parametrize("filter", ["", "minRating: 4.5", 'license: "MIT"', 'currency: "USD"'])
async def test_counts_and_groups_read_no_rows_of_packages(
    world: World, database: Database, filter: str
) -> None:
    """What asks for all of them reads the index that covers the question."""
    with recorded(world.api.deps.database) as seen:
        (await world.api(f"{{ packages(filter: {{{filter}}}) {{ {GROUPED} }} }}")).payload()
    counting = [pair for pair in seen if "key_0" not in pair[0]]
    read = [line for plan in (await plans(database, counting)).values() for line in plan]
    of_packages = [line for line in read if line.startswith(("SCAN packages", "SEARCH packages"))]
    assert of_packages == ["SCAN packages USING COVERING INDEX ix_packages_counted"] * 2


GROUPED = "totalCount facets { licenses { value } }"
