"""What is done in one run, and how much of it?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import data
from bench.asking import compare, compare_purchases
from bench.data import FULL, QUICK, TINY, Made, Size
from bench.machine import Facts
from bench.node import Node
from bench.operations import Operation
from bench.postgres import Postgres
from bench.purchases import Purchases
from bench.report import Found
from bench.rounds import Course, measure, warm_up
from bench.servers import Running, Server, all_running, ours, peers
from bench.statistics import Figures
from bench.steady import footprint, hold_rate
from bench.subjects import subjects_of
from bench.targets import HOT, OURS, STEADY_RATE


@dataclass(frozen=True)
class Extent:
    """How much is measured. ``warm``: every server is asked everything before."""

    size: Size
    rounds: int
    seconds: float
    concurrency: tuple[int, ...]
    warm: bool
    rate: int
    rate_seconds: float
    starts: int
    rest: bool = True
    """Also the fixed rate, start, memory, and SQLite."""


LONG = Extent(FULL, 3, 2, (1, 16, 64), warm=True, rate=STEADY_RATE, rate_seconds=20, starts=3)
SHORT = Extent(QUICK, 1, 1, (16,), warm=False, rate=100, rate_seconds=3, starts=1)
NOTHING = Extent(TINY, 0, 1, (), warm=False, rate=0, rate_seconds=0, starts=0)


@dataclass
class Bench:
    extent: Extent
    operations: Sequence[Operation]
    only: list[str]
    folder: Path
    node: Node

    def run(self, postgres: Postgres) -> Found:
        """Raises Differing where a server does not say what the others say."""
        extent = self.extent
        times = (
            f"{extent.rounds} of {extent.seconds:g} s for each server, operation and concurrency, interleaved"
        )
        found = Found(Facts(extent.size, self.node, postgres.version(), times))
        made = data.on_postgres(postgres, self.folder, extent.size)
        found.servers = self._chosen([*ours(made, self.folder), *peers(made, self.node)])
        course = self._course(made, postgres.pid)
        found.compared, found.postgres = self._side_by_side(course, made, found.servers)
        if not extent.rest:
            return found
        if extent.rounds:
            self._more(course, found)
        on_file = data.on_sqlite(self.folder, extent.size)
        alone = self._chosen(ours(on_file, self.folder))
        compared, found.sqlite = self._side_by_side(self._course(on_file, None), on_file, alone)
        found.compared += compared
        return found

    def _chosen(self, servers: list[Server]) -> list[Server]:
        """revgraph itself always."""
        wanted = self.only or [""]
        return [each for each in servers if each.name == OURS or any(part in each.name for part in wanted)]

    def _course(self, made: Made, database: int | None) -> Course:
        subjects = subjects_of(made.plan, bought=made.bought)
        return Course(subjects, Purchases(subjects), self.node, self.folder, database)

    def _side_by_side(self, course: Course, made: Made, servers: Sequence[Server]) -> tuple[int, Figures]:
        with all_running(servers, self.folder) as started:
            compared = self._compare(course, made, started)
            print(f"{compared} answers of {len(started)} servers are the same.", flush=True)
            if not self.extent.rounds:
                return compared, Figures([])
            return compared, self._measured(course, started)

    def _compare(self, course: Course, made: Made, started: list[Running]) -> int:
        asked = [each for each in self.operations if not each.changes]
        compared = compare(started, asked, course.subjects)
        if len(asked) == len(self.operations):
            return compared
        buying = [each for each in started if each.server.can("purchase")]
        return compared + compare_purchases(buying, course.purchases, made.plan)

    def _measured(self, course: Course, started: list[Running]) -> Figures:
        extent = self.extent
        if extent.warm:
            warm_up(course, started, self.operations, extent.seconds)
        return Figures(
            measure(
                course,
                started,
                self.operations,
                rounds=extent.rounds,
                seconds=extent.seconds,
                concurrency=extent.concurrency,
                told=_tell,
            )
        )

    def _more(self, course: Course, found: Found) -> None:
        extent, hot = self.extent, [each for each in self.operations if each.name in HOT]
        steady = [each for each in found.servers if "," not in each.name]
        found.held = hold_rate(course, steady, rate=extent.rate, seconds=extent.rate_seconds, told=_tell)
        for each in steady:
            _tell(f"start and memory: {each.name}")
            found.footprints.append(footprint(course, each, hot, times=extent.starts, folder=self.folder))


def _tell(what: str) -> None:
    print(what, flush=True)
