"""On what was it measured, with which versions, when?"""

import os
import platform
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.data import Size
from bench.node import Node
from bench.settings import ROOT

OF_NODE = ("mercurius", "graphql-jit", "postgraphile", "graphql-yoga", "pg", "autocannon", "undici")
OF_PYTHON = ("strawberry-graphql", "graphql-core", "SQLAlchemy", "asyncpg", "uvicorn", "orjson")


@dataclass(frozen=True)
class Facts:
    """``rounds`` says how often and how long was measured; ``size`` is the database's, unless it is empty."""

    size: Size | None
    node: Node
    postgres: str
    rounds: str

    def lines(self) -> Iterator[tuple[str, str]]:
        yield "date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        yield "commit", _commit()
        yield "machine", f"{os.cpu_count()} processors ({_model()}), {_memory()}, {platform.system()}"
        yield "load before", ", ".join(f"{each:.1f}" for each in os.getloadavg())
        if size := self.size:
            yield "database", f"{size.users:,} users, {size.packages:,} packages, {size.events:,} events"
        yield "PostgreSQL", self.postgres
        yield "Python", f"{platform.python_version()}; {_versions(OF_PYTHON)}"
        of_node = ", ".join(f"{each} {self.node.version_of(each)}" for each in OF_NODE)
        yield "Node.js", f"{self.node.version().lstrip('v')}; {of_node}"
        yield "load", "autocannon; at the fixed rate undici, counted from when each request was due"
        yield "rounds", self.rounds


def _versions(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {version(name)}" for name in names)


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


def _model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
