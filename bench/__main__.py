"""``python -m bench``: revgraph beside its peers, on one database, in one run."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bench import node, postgres
from bench.asking import Differing
from bench.operations import OPERATIONS
from bench.purchases import Exhausted
from bench.report import write
from bench.run import LONG, NOTHING, SHORT, Bench
from bench.settings import ROOT
from scripts.nodejs import NoNode

RESULTS = ROOT / "bench" / "results.md"
Quick = Annotated[bool, typer.Option("--quick", help="A small database and one round, to try it out.")]
CompareOnly = Annotated[bool, typer.Option("--compare-only", help="A tiny database, and no timing.")]
Only = Annotated[list[str] | None, typer.Option(help="Only servers with this in their names, and revgraph.")]
Operations = Annotated[list[str] | None, typer.Option(help="Only this operation.")]
Rounds = Annotated[int | None, typer.Option(min=1, help="Instead of three, or one with --quick.")]
Connections = Annotated[list[int] | None, typer.Option(min=1, help="Only so many at a time.")]
Rest = Annotated[bool, typer.Option(help="Also the fixed rate, start, memory, and SQLite.")]
Folder = Annotated[Path, typer.Option(help="Where the databases are kept.")]
Page = Annotated[
    Path | None, typer.Option(help="Where the page goes; else bench/results.md after a full run.")
]


def main(
    quick: Quick = False,
    compare_only: CompareOnly = False,
    only: Only = None,
    operation: Operations = None,
    rounds: Rounds = None,
    connections: Connections = None,
    rest: Rest = True,
    folder: Folder = ROOT / ".cache" / "bench",
    results: Page = None,
) -> None:
    """Compare the answers, then measure, then write the page."""
    extent = NOTHING if compare_only else SHORT if quick else LONG
    if not compare_only:
        extent = replace(
            extent,
            rounds=rounds or extent.rounds,
            concurrency=tuple(connections or extent.concurrency),
            rest=rest,
        )
    chosen = [each for each in OPERATIONS if not operation or each.name in operation]
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        installed = node.installed()
        with postgres.running(folder) as server:
            found = Bench(extent, chosen, only or [], folder, installed).run(server)
    except (Differing, Exhausted, NoNode, node.Unreachable) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    if compare_only:
        return
    whole = not (quick or only or operation or rounds or connections) and rest
    page = results or (RESULTS if whole else folder / "results.md")
    write(found, page)
    print(page.read_text())
    print(f"Written to {page}.")


if __name__ == "__main__":
    typer.run(main)
