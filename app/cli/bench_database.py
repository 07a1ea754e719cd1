"""``revgraph bench-database``: how does the server do with a lot of data? This makes the data."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from app.cli.progress import shown
from app.cli.reporting import Problem, say, show

if TYPE_CHECKING:
    from app.bootstrap import Settings
    from app.cli.bench.making import Filled
    from app.cli.bench.plan import Plan

DEFAULT_PATH = "var/bench.db"
LINES_EVERY = 250_000


def bench_database(
    database: Annotated[
        str, typer.Argument(metavar="PATH_OR_URL", help="A new SQLite file, or the URL of an empty database.")
    ] = DEFAULT_PATH,
    users: Annotated[int, typer.Option(min=1, max=10_000_000)] = 100_000,
    packages: Annotated[int, typer.Option(min=1, max=1_000_000)] = 10_000,
    events: Annotated[int, typer.Option(min=0, max=500_000_000, help="Usage events.")] = 5_000_000,
    seed: Annotated[int, typer.Option(help="Another seed makes other rows.")] = 1,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day that the rows lead up to; today.")
    ] = None,
) -> None:
    """Fill an empty database with as many accounts, packages and usage events as a busy server has.

    The rows follow from the options alone (but for the salt of the one password). Rows only: the archives of
    the packages are not in the storage.

    Example: [bold]revgraph bench-database var/bench.db --users 1000 --packages 100 --events 50000[/bold]
    """
    from app.cli.bench.plan import Plan, day

    leading_to = until.replace(tzinfo=UTC) if until else day(datetime.now(UTC))
    plan = Plan(users=users, packages=packages, events=events, seed=seed, until=leading_to)
    filled = asyncio.run(_make(_settings(database), plan))
    show(_table(filled))
    _tell(plan)


def _settings(database: str) -> "Settings":
    from app.cli.running import quiet_settings

    url = database if "://" in database else f"sqlite:///{database}"
    return quiet_settings().model_copy(update={"database_url": url})


async def _make(settings: "Settings", plan: "Plan") -> "list[Filled]":
    from app.cli.bench.making import fill
    from app.cli.running import opened
    from app.db.migrate import upgrade
    from app.db.repositories import health

    async with opened(settings, migrated=False) as deps:
        await upgrade(deps.database)
        async with deps.database.read() as connection:
            if await health.has_users(connection) or await health.package_slugs(connection, limit=1):
                raise Problem(
                    f"{deps.database.url.render_as_string()} holds data already.",
                    advice="Name a new file or an empty database.",
                )
        with shown("Filling", every=LINES_EVERY) as step:
            return await fill(deps, plan, told=step)


def _table(filled: "list[Filled]") -> Table:
    table = Table("table", box=None)
    table.add_column("rows", justify="right")
    table.add_column("seconds", justify="right")
    for each in filled:
        table.add_row(each.table, f"{each.rows:,}", f"{each.seconds:.1f}")
    table.add_row(
        "all", f"{sum(each.rows for each in filled):,}", f"{sum(each.seconds for each in filled):.1f}"
    )
    return table


def _tell(plan: "Plan") -> None:
    from app.cli.bench import people

    say(f"Sign in as {people.email(0)} (or any number) with the password {people.PASSWORD}.")
    say(f"An API key of the first account, for a server with these settings: {people.api_key(plan, 0)}")
