"""In which order is the database filled?"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from uuid import UUID

from app.cli.bench import goods, metering, people, sales
from app.cli.bench.loading import Loader, load, open_loader, without_indexes
from app.cli.bench.plan import Plan, Rows
from app.context import Deps
from app.db import models
from app.db.models import Base
from app.db.repositories import search

INDEXED_AT_ONCE = 100
Told = Callable[[int, int, str], None]
Table = tuple[type[Base], str, Rows, int]
"""The model, its columns in the order of the rows, the rows, and about how many they are."""


@dataclass(frozen=True)
class Filled:
    table: str
    rows: int
    seconds: float


async def fill(deps: Deps, plan: Plan, *, told: Told) -> list[Filled]:
    """``deps``: the database, migrated and empty, and the server's own hashes."""
    password_hash = await deps.passwords.hash(people.PASSWORD)
    await deps.database.close()  # SQLite gives its file to one connection; the pools open again when asked
    loader = await open_loader(deps.database.url)
    try:
        filled = [await _table(loader, table, told) for table in _tables(deps, plan, password_hash)]
        filled += await _usage(deps, loader, plan, told)
        await loader.run("ANALYZE")
    finally:
        await loader.close()
    return [*filled, await _index(deps, plan, told)]


def _tables(deps: Deps, plan: Plan, password_hash: str) -> list[Table]:
    """Rows before those that refer to them."""
    files, sold = plan.packages * len(goods.VERSIONS), plan.packages * sales.AVERAGE_SALES
    keys, billed = plan.users // people.KEY_EVERY, plan.users * sales.BILLED_MONTHS // 5
    return [
        (models.User, people.USERS, people.users(plan, password_hash), plan.users),
        (models.Subscription, people.SUBSCRIPTIONS, people.subscriptions(plan), plan.users),
        (models.ApiKey, people.API_KEYS, people.api_keys(plan, deps.tokens.digest), keys),
        (models.Author, people.AUTHORS, people.authors(plan), plan.authors),
        (models.Category, goods.CATEGORY, goods.categories(plan), len(goods.CATEGORIES)),
        (models.Package, goods.PACKAGES, goods.packages(plan), plan.packages),
        (models.PackageVersion, goods.PACKAGE_VERSIONS, goods.versions(plan), files),
        (models.PackageFile, goods.PACKAGE_FILES, goods.files(plan), files),
        (models.PackageCategory, goods.PACKAGE_CATEGORIES, goods.package_categories(plan), plan.packages),
        (models.PackageTag, goods.PACKAGE_TAGS, goods.package_tags(plan), plan.packages * 3),
        (models.Purchase, sales.PURCHASES, sales.purchases(plan), sold),
        (models.Licence, sales.LICENCES, sales.licences(plan), sold),
        (models.Review, sales.REVIEWS, sales.reviews(plan), sold * 3 // 10),
        (models.Invoice, sales.INVOICES, sales.invoices(plan), billed),
        (models.InvoiceLine, sales.INVOICE_LINES, sales.invoice_lines(plan), billed),
        (models.Payment, sales.PAYMENTS, sales.payments(plan), billed),
    ]


async def _table(loader: Loader, table: Table, told: Told) -> Filled:
    begun, (model, columns, rows, expected) = perf_counter(), table
    name = model.__tablename__
    number = await load(loader, model, columns, rows, done=lambda done: told(done, max(done, expected), name))
    return Filled(name, number, perf_counter() - begun)


async def _usage(deps: Deps, loader: Loader, plan: Plan, told: Told) -> list[Filled]:
    """The counters last: they are the sums of the events as they went by."""
    made = metering.Metering(plan)

    async def events() -> int:
        event, columns = models.UsageEvent, metering.USAGE_EVENTS
        registered = await _table(loader, (event, columns, made.registrations(), plan.users), told)
        counted = await _table(loader, (event, columns, made.events(), plan.events), told)
        return registered.rows + counted.rows

    begun = perf_counter()
    rows = await without_indexes(loader, deps.database.url, models.UsageEvent, events)
    filled = Filled("usage_events", rows, perf_counter() - begun)
    counters: Table = (models.UsageCounter, metering.USAGE_COUNTERS, made.counters(), plan.users * 4)
    return [filled, await _table(loader, counters, told)]


async def _index(deps: Deps, plan: Plan, told: Told) -> Filled:
    """By the program's own indexing, many packages a transaction."""
    begun = perf_counter()
    for first in range(0, plan.packages, INDEXED_AT_ONCE):
        last = min(first + INDEXED_AT_ONCE, plan.packages)
        async with deps.database.transaction() as connection:
            for package in range(first, last):
                package_id: UUID = plan.package_id(package)
                await search.index(connection, package_id)
        told(last, plan.packages, "search index")
    return Filled("search index", plan.packages, perf_counter() - begun)
