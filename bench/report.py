"""What was found, as a page of Markdown."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.machine import Facts
from bench.servers import Server
from bench.statistics import Figures
from bench.steady import Footprint, Steady
from bench.targets import CONNECTIONS, OURS, Target, spread, targets

BY_HAND = "## What holds it back"
"""From here on the page is a person's: a new run leaves it as it is."""


@dataclass
class Found:
    """All of one run."""

    facts: Facts
    servers: Sequence[Server] = ()
    compared: int = 0
    postgres: Figures = field(default_factory=lambda: Figures([]))
    sqlite: Figures = field(default_factory=lambda: Figures([]))
    held: list[Steady] = field(default_factory=list)
    footprints: list[Footprint] = field(default_factory=list)


def write(found: Found, path: Path) -> None:
    kept = path.read_text().partition(BY_HAND)[1:] if path.exists() else ()
    path.write_text("\n".join(_page(found)).rstrip() + "\n" + "".join(("\n", *kept) if any(kept) else ()))


def _page(found: Found) -> Iterator[str]:
    yield "# Side by side"
    yield ""
    yield "Written by `make bench`; what it measures and how is in [README.md](README.md)."
    yield ""
    yield from table(["", ""], [[name, value] for name, value in found.facts.lines()])
    yield from table(["server", "what it is"], [[each.name, each.says] for each in found.servers])
    yield f"{found.compared} answers were compared before anything was timed; all said the same."
    yield ""
    yield "## Targets"
    yield ""
    yield f"Ratios of requests a second with {CONNECTIONS} connections: the median (lowest–highest)."
    yield "Bare is the server without authentication, quota and metrics, which the peers do not have either."
    yield "By time of the processors, the server's and the database's, last: a busy machine moves them less."
    yield ""
    rows = [
        [each.says, each.wanted, each.measured, _word(each.met), each.bare, _bare_word(each), each.by_cost]
        for each in targets(found.postgres, found.held)
    ]
    yield from table(["what", "wanted", "measured", "", "bare", "", "by processor time"], rows)
    yield from _measured("PostgreSQL", found.postgres)
    yield from _rest(found)
    yield from _measured("SQLite", found.sqlite)


def _word(met: bool | None) -> str:
    return {True: "met", False: "**missed**", None: "not measured"}[met]


def _bare_word(target: Target) -> str:
    return "" if target.bare_met is None else _word(target.bare_met)


def _measured(database: str, figures: Figures) -> Iterator[str]:
    if not figures.samples:
        return
    yield f"## Requests a second on {database}"
    yield ""
    for connections in figures.concurrency():
        yield f"With {connections} connection{'s' if connections > 1 else ''}, one process of each server:"
        yield ""
        yield from _rates(figures, connections)
    middle = CONNECTIONS if CONNECTIONS in figures.concurrency() else figures.concurrency()[-1]
    yield f"Ratios to {OURS} with {middle} connections (above 1: {OURS} is faster):"
    yield ""
    yield from _ratios(figures, middle)
    yield f"Processor milliseconds a request with {middle} connections, the server's + the database's:"
    yield ""
    yield from _processor(figures, middle)
    yield from _failures(figures)


def _rates(figures: Figures, connections: int) -> Iterator[str]:
    operations = figures.operations()
    rows = [
        [server, *(spread(figures.rate(server, each, connections), 0) for each in operations)]
        for server in figures.servers()
    ]
    yield from table(["server", *operations], rows)


def _ratios(figures: Figures, connections: int) -> Iterator[str]:
    operations = figures.operations()
    rows = [
        [server, *(spread(figures.ratio(OURS, server, each, connections)) for each in operations)]
        for server in figures.servers()
        if server != OURS
    ]
    yield from table([f"{OURS} :", *operations], rows)


def _processor(figures: Figures, connections: int) -> Iterator[str]:
    def cell(server: str, operation: str) -> str:
        found = figures.processor(server, operation, connections)
        return f"{found[0]:.2f} + {found[1]:.2f}" if found else "-"

    operations = figures.operations()
    rows = [[server, *(cell(server, each) for each in operations)] for server in figures.servers()]
    yield from table(["server", *operations], rows)


def _failures(figures: Figures) -> Iterator[str]:
    failed = figures.failures()
    if not failed:
        yield "No request failed or was answered wrongly."
        yield ""
        return
    rows = [
        [
            each.server,
            each.operation,
            str(each.connections),
            str(each.outcome.wrong),
            str(each.outcome.errors),
        ]
        for each in failed
    ]
    yield from table(["failed", "operation", "connections", "wrong", "errors"], rows)


def _rest(found: Found) -> Iterator[str]:
    if found.held:
        yield "## Waiting times at a fixed rate"
        yield ""
        yield "The dashboard, a process for each processor; counted from when a request was due."
        yield ""
        yield from table(
            ["server", "asked a second", "answered", "p50 ms", "p95 ms", "p99 ms", "failed"],
            [_steady(each) for each in found.held],
        )
    if found.footprints:
        yield "## Start and memory"
        yield ""
        yield "One process: seconds from the start to the first answer, and proportional set size."
        yield ""
        yield from table(
            ["server", "first answer s", "MB then", "MB after load"],
            [
                [
                    each.server,
                    f"{each.cold_start:.2f}",
                    f"{each.memory / 1e6:.0f}",
                    f"{each.memory_after / 1e6:.0f}",
                ]
                for each in found.footprints
            ],
        )


def _steady(held: Steady) -> list[str]:
    outcome = held.outcome
    times = [f"{each:,.1f}" if each is not None else "-" for each in (outcome.p50, outcome.p95, outcome.p99)]
    failed = str(outcome.wrong + outcome.errors)
    return [held.server, f"{held.rate:,}", f"{outcome.rate:,.0f}", *times, failed]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""
