"""How long do people wait at a rate that does not give way? All processors serve; and: start and memory."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.load import Load, Outcome, sent
from bench.operations import DASHBOARD, Operation
from bench.processes import memory_bytes
from bench.rounds import Course, Told
from bench.servers import Server, running

CONNECTIONS = 128


@dataclass(frozen=True)
class Steady:
    server: str
    rate: int
    outcome: Outcome


def hold_rate(
    course: Course, servers: Sequence[Server], *, rate: int, seconds: float, told: Told
) -> list[Steady]:
    """The dashboard, with as many processes as there are processors."""
    held = []
    for server in servers:
        told(f"{rate} requests a second: {server.name}")
        with running(server, course.folder, workers=os.cpu_count() or 1) as started:
            asked = sent(DASHBOARD.requests(course.subjects, postgraphile=server.postgraphile))
            course.put(started, Load(asked, 16, min(seconds, 4)))
            outcome, _, _ = course.put(started, Load(asked, CONNECTIONS, seconds, rate=rate))
        held.append(Steady(server.name, rate, outcome))
    return held


@dataclass(frozen=True)
class Footprint:
    """Seconds from the start to the first answer; bytes after it, and after some load, of one process."""

    server: str
    cold_start: float
    memory: int
    memory_after: int


def footprint(
    course: Course, server: Server, operations: Sequence[Operation], *, times: int, folder: Path
) -> Footprint:
    starts = []
    fresh = loaded = 0
    for _ in range(times):
        with running(server, folder) as started:
            starts.append(started.ready_after)
            fresh = memory_bytes(started.pid)
            for operation in operations:
                course.put(started, course.load(started, operation, connections=16, seconds=1))
            loaded = memory_bytes(started.pid)
    return Footprint(server.name, median(starts), fresh, loaded)
