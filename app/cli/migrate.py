"""``revgraph migrate``: is the database as this program needs it, and if not, make it so."""

import asyncio
from typing import Annotated

import typer

from app.cli.reporting import ExitCode, Problem, say


def migrate(
    revision: Annotated[
        str, typer.Option(metavar="REVISION", help="The revision to reach; 'base' is before the first.")
    ] = "head",
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 unless up to date.")] = False,
    down: Annotated[
        bool, typer.Option("--down", help="Allow going back, which deletes what later revisions added.")
    ] = False,
) -> None:
    """Bring the database to the tables that this program needs.

    Safe to run again, and by several replicas at once.

    Examples: [bold]revgraph migrate[/bold], [bold]revgraph migrate --check[/bold]
    """
    asyncio.run(_migrate(revision, check=check, down=down))


async def _migrate(revision: str, *, check: bool, down: bool) -> None:
    from app.cli.running import opened, quiet_settings
    from app.db.migrate import current_revision, downgrade, upgrade

    async with opened(quiet_settings(), migrated=False) as deps:
        async with deps.database.read() as connection:
            before = await current_revision(connection)
        steps = _steps(before, revision)
        if steps and check:
            raise Problem(f"The database is {_at(before)}.", advice="Run 'revgraph migrate'.")
        if steps < 0 and not down:
            raise Problem(
                f"The database is {_at(before)}, which is later than {revision}.",
                advice="Going back deletes what came later: with a backup at hand, say --down.",
            )
        if steps:
            await (upgrade if steps > 0 else downgrade)(deps.database, revision)
        async with deps.database.read() as connection:
            after = await current_revision(connection)
    say(f"The database is {_at(after)}" + (f" (was {_at(before)})." if steps else ": nothing to do."))


def _steps(before: str | None, revision: str) -> int:
    """How many revisions lie between; negative where the target is the earlier one."""
    from app.db.migrate import revisions

    known = ["base", *revisions()]
    if before is not None and before not in known:
        raise Problem(
            f"The database is at revision {before}, which this program does not know.",
            advice="It was migrated by a newer revgraph: run that one.",
        )
    target = known[-1] if revision == "head" else revision
    if target not in known:
        listed = ", ".join(known)
        raise Problem(f"There is no revision '{revision}': there are {listed}.", code=ExitCode.USAGE)
    return known.index(target) - known.index(before or "base")


def _at(revision: str | None) -> str:
    return f"at revision {revision}" if revision else "without tables"
