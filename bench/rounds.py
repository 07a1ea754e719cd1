"""How often is what asked? Every round asks every server, so that a busy machine is so for all."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.load import Load, Outcome, put, sent
from bench.node import Node
from bench.operations import Operation
from bench.processes import cpu_seconds
from bench.purchases import Purchases
from bench.servers import Running
from bench.subjects import Subjects

PURCHASES_A_SECOND = 400
"""More than any server manages here; what is not needed stays for the next round."""
LEAD_IN_SECONDS = 1.5
Told = Callable[[str], None]


@dataclass(frozen=True)
class Sample:
    """One server, one operation, one round. Processor time in milliseconds a request, of both."""

    server: str
    operation: str
    connections: int
    outcome: Outcome
    server_cpu: float
    database_cpu: float

    @property
    def cost(self) -> float:
        """0 where nothing was answered."""
        return self.server_cpu + self.database_cpu if self.outcome.requests else 0.0


@dataclass(frozen=True)
class Course:
    """What does not change from round to round. ``database``: the id of its first process, if it has one."""

    subjects: Subjects
    purchases: Purchases
    node: Node
    folder: Path
    database: int | None

    def load(self, running: Running, operation: Operation, *, connections: int, seconds: float) -> Load:
        if operation.changes:
            taken = self.purchases.take(int(PURCHASES_A_SECOND * seconds))
            return Load(sent([request for request, _ in taken]), connections, seconds, changes=True)
        asked = operation.requests(self.subjects, postgraphile=running.server.postgraphile)
        return Load(sent(asked), connections, seconds)

    def put(self, running: Running, load: Load) -> tuple[Outcome, float, float]:
        """The outcome, and seconds of the processor: the server's and the database's."""
        before = self._cpu(running)
        outcome = put(load, running.url, node=self.node, folder=self.folder)
        after = self._cpu(running)
        return outcome, after[0] - before[0], after[1] - before[1]

    def _cpu(self, running: Running) -> tuple[float, float]:
        return cpu_seconds(running.pid), cpu_seconds(self.database) if self.database else 0.0


def warm_up(
    course: Course, servers: Sequence[Running], operations: Sequence[Operation], seconds: float
) -> None:
    """Compilers that learn while running (V8, graphql-jit), pools, caches."""
    for running in servers:
        for operation in operations:
            if running.server.can(operation.name) and not operation.changes:
                course.put(running, course.load(running, operation, connections=16, seconds=seconds))


def measure(
    course: Course,
    servers: Sequence[Running],
    operations: Sequence[Operation],
    *,
    rounds: int,
    seconds: float,
    concurrency: Sequence[int],
    told: Told,
) -> Iterator[Sample]:
    for number in range(rounds):
        for operation in operations:
            for connections in concurrency:
                told(f"round {number + 1} of {rounds}: {operation.name}, {connections} connections")
                able = [each for each in servers if each.server.can(operation.name)]
                for running in able[number % len(able) :] + able[: number % len(able)]:
                    _lead_in(course, running, operation, connections)
                    load = course.load(running, operation, connections=connections, seconds=seconds)
                    yield _sample(course, running, operation, load)


def _lead_in(course: Course, running: Running, operation: Operation, connections: int) -> None:
    """So that a window finds the server as whoever asks all the time does: accounts busy, pools open."""
    if not operation.changes:
        seconds = LEAD_IN_SECONDS
        course.put(running, course.load(running, operation, connections=connections, seconds=seconds))


def _sample(course: Course, running: Running, operation: Operation, load: Load) -> Sample:
    outcome, server, database = course.put(running, load)
    done = max(outcome.requests, 1)
    return Sample(
        running.server.name,
        operation.name,
        load.connections,
        outcome,
        1000 * server / done,
        1000 * database / done,
    )
