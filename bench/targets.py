"""What is aimed at? Ratios with 16 connections, and waiting times at a fixed rate."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.statistics import Figures, Spread
from bench.steady import Steady

CONNECTIONS = 16
REMEMBERED = "revgraph, keys remembered"
OURS, BARE, STOCK, LIMIT = "revgraph", "revgraph, bare", "stock Strawberry", "one statement"
NODE_PEERS = ("Mercurius", "PostGraphile", "Yoga")
HOT = ("dashboard", "catalogue")
TIMES_STOCK = {"dashboard": 10.0, "catalogue": 12.0}
TIMES_NODE, SHARE_OF_LIMIT, MOST_FOR_THE_REST = 1.25, 0.5, 1.2
STEADY_RATE, STEADY_P95 = 1_000, 100.0


@dataclass(frozen=True)
class Target:
    """``met`` None: it was not measured. ``by_cost``: the same by time of the processors.

    ``bare``: of the server without authentication, quota and metrics, as the peers have none.
    """

    says: str
    wanted: str
    measured: str
    met: bool | None
    by_cost: str = "-"
    bare: str = "-"
    bare_met: bool | None = None


def targets(figures: Figures, held: list[Steady]) -> Iterator[Target]:
    for operation in HOT:
        yield _times(
            figures, f"{operation}: times stock Strawberry", STOCK, operation, TIMES_STOCK[operation]
        )
    for operation in HOT:
        best = _best_node_peer(figures, operation)
        yield _times(figures, f"{operation}: times the best Node peer ({best})", best, operation, TIMES_NODE)
    for operation in HOT:
        yield _times(figures, f"{operation}: share of one statement", LIMIT, operation, SHARE_OF_LIMIT)
    for server in (OURS, REMEMBERED):
        for operation in HOT:
            yield _the_rest(figures, operation, server)
    yield from (_steady(each) for each in held if each.server == OURS)


def _times(figures: Figures, says: str, other: str, operation: str, wanted: float) -> Target:
    ratio = figures.ratio(OURS, other, operation, CONNECTIONS)
    cost = figures.cost_ratio(OURS, other, operation, CONNECTIONS)
    bare = figures.ratio(BARE, other, operation, CONNECTIONS)
    return Target(
        says,
        f"{wanted:g}",
        spread(ratio),
        ratio.middle >= wanted if ratio else None,
        spread(cost),
        spread(bare),
        bare.middle >= wanted if bare else None,
    )


def _best_node_peer(figures: Figures, operation: str) -> str:
    rates = {each: figures.rate(each, operation, CONNECTIONS) for each in NODE_PEERS}
    known = {name: rate.middle for name, rate in rates.items() if rate}
    return max(known, key=lambda name: known[name]) if known else "none"


def _the_rest(figures: Figures, operation: str, server: str) -> Target:
    """By requests a second of a busy process: what one more takes."""
    ratio = figures.ratio(BARE, server, operation, CONNECTIONS)
    says = f"{operation}: cost with authentication, quota and metrics, times that without"
    says += ", keys remembered" if server == REMEMBERED else ""
    met = ratio.middle <= MOST_FOR_THE_REST if ratio else None
    cost = figures.cost_ratio(BARE, server, operation, CONNECTIONS)
    return Target(says, f"at most {MOST_FOR_THE_REST:g}", spread(ratio), met, spread(cost))


def _steady(held: Steady) -> Target:
    outcome = held.outcome
    p95 = outcome.p95 or 0.0
    failed = outcome.wrong + outcome.errors
    measured = f"{outcome.rate:,.0f} a second, p95 {p95:,.0f} ms, {failed} failed"
    met = p95 < STEADY_P95 and not failed and outcome.rate > 0.98 * held.rate
    wanted = f"p95 below {STEADY_P95:g} ms"
    return Target(f"dashboard: {held.rate:,} requests a second, all processors", wanted, measured, met)


def spread(value: Spread | None, digits: int = 2) -> str:
    if value is None:
        return "-"
    return f"{value.middle:,.{digits}f} ({value.lowest:,.{digits}f}–{value.highest:,.{digits}f})"
