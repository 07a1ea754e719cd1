"""In which order is the database filled?"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from uuid import UUID

from app.cli.bench import goods, people, sales
from app.cli.bench.loading import Loader, load, open_loader, without_indexes
from app.cli.bench.metering import Metering
from app.cli.bench.plan import Plan, Rows
from app.context import Deps
from app.db import models
from app.db.models import Base
from app.db.repositories import search

INDEXED_AT_ONCE = 100
Told = Callable[[int, int, str], None]


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
        filled = [
            await _table(loader, model, rows, at_most, told)
            for model, rows, at_most in _tables(deps, plan, password_hash)
        ]
        filled += await _usage(deps, loader, plan, told)
        await loader.run("ANALYZE")
    finally:
        await loader.close()
    return [*filled, await _index(deps, plan, told)]


def _tables(deps: Deps, plan: Plan, password_hash: str) -> list[tuple[type[Base], Rows, int]]:
    """Rows before those that refer to them; with about how many there are, for the bar."""
    sold = plan.packages * sales.AVERAGE_SALES
    billed = plan.users * 3 // 5
    return [
        (models.User, people.users(plan, password_hash), plan.users),
        (models.Subscription, people.subscriptions(plan), plan.users),
        (models.ApiKey, people.api_keys(plan, deps.tokens.digest), plan.users // people.KEY_EVERY),
        (models.Author, people.authors(plan), plan.authors),
        (models.Category, goods.categories(plan), len(goods.CATEGORIES)),
        (models.Package, goods.packages(plan), plan.packages),
        (models.PackageVersion, goods.versions(plan), plan.packages * len(goods.VERSIONS)),
        (models.PackageFile, goods.files(plan), plan.packages * len(goods.VERSIONS)),
        (models.PackageCategory, goods.package_categories(plan), plan.packages * 3 // 2),
        (models.PackageTag, goods.package_tags(plan), plan.packages * 3),
        (models.Purchase, sales.purchases(plan), sold),
        (models.Licence, sales.licences(plan), sold),
        (models.Review, sales.reviews(plan), sold * 3 // 10),
        (models.Invoice, sales.invoices(plan), billed),
        (models.InvoiceLine, sales.invoice_lines(plan), billed),
        (models.Payment, sales.payments(plan), billed),
    ]


async def _table(loader: Loader, model: type[Base], rows: Rows, expected: int, told: Told) -> Filled:
    begun, name = perf_counter(), model.__tablename__
    number = await load(loader, model, rows, done=lambda done: told(done, max(done, expected), name))
    return Filled(name, number, perf_counter() - begun)


async def _usage(deps: Deps, loader: Loader, plan: Plan, told: Told) -> list[Filled]:
    """The counters last: they are the sums of the events as they went by."""
    metering = Metering(plan)

    async def events() -> list[Filled]:
        return [
            await _table(loader, models.UsageEvent, metering.registrations(), plan.users, told),
            await _table(loader, models.UsageEvent, metering.events(), plan.events, told),
        ]

    begun = perf_counter()
    registrations, counted = await without_indexes(loader, deps.database.url, models.UsageEvent, events)
    filled = Filled("usage_events", registrations.rows + counted.rows, perf_counter() - begun)
    return [filled, await _table(loader, models.UsageCounter, metering.counters(), plan.users * 4, told)]


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
