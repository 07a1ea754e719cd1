"""``revgraph import-catalog``: how does a folder of packs get into the catalogue?"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from app.cli.progress import shown
from app.cli.reporting import ExitCode, Problem, show

if TYPE_CHECKING:
    from app.services.imports import ImportReport

DEFAULT_AUTHOR = "imported"


def import_catalog(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with one folder a pack.")],
    prices: Annotated[
        Path | None, typer.Option(help="What packs cost, a .toml or .csv file; without it they are free.")
    ] = None,
    author: Annotated[str, typer.Option(help="Whose a pack is that names no author.")] = DEFAULT_AUTHOR,
) -> None:
    """Import every DIR/<name>/pack.toml with its README.md; its other files become the archive to download.

    May be run again: what is unchanged stays, what changed is updated.
    A bad pack is reported with its reason, and the others go on.

    Example: [bold]revgraph import-catalog ./catalog --prices prices.csv[/bold]
    """
    if not folder.is_dir():
        raise Problem(f"{folder}: there is no such folder.", code=ExitCode.USAGE)
    report = asyncio.run(_import(folder, _prices(prices), author))
    show(_table(report))
    if report.bad:
        raise typer.Exit(ExitCode.FAILED)


def _prices(path: Path | None) -> Mapping[str, tuple[str, str]]:
    from app.gateways.packs import PackTableError, read_prices

    if path is None:
        return {}
    try:
        return read_prices(path)
    except PackTableError as error:
        raise Problem(str(error), code=ExitCode.USAGE) from None


async def _import(folder: Path, prices: Mapping[str, tuple[str, str]], author: str) -> "ImportReport":
    from app.cli.running import opened, quiet_settings
    from app.services import imports

    async with opened(quiet_settings()) as deps:
        with shown("Importing") as step:
            report = await imports.import_catalog(
                database=deps.database,
                store=deps.store,
                folder=folder,
                prices=prices,
                author=author,
                now=datetime.now(UTC),
                on_progress=step,
            )
    if not (report.created or report.updated or report.unchanged or report.bad):
        raise Problem(f"{folder}: holds no pack; a pack is a folder with a pack.toml.")
    return report


def _table(report: "ImportReport") -> Table:
    table = Table("packs", "number", "reason", box=None)
    for outcome in ("created", "updated", "unchanged"):
        table.add_row(outcome, str(getattr(report, outcome)), "")
    table.add_row("bad", str(len(report.bad)), "")
    for name, reason in report.bad:
        table.add_row(Text(f"  {name}"), "", Text(reason))
    return table
