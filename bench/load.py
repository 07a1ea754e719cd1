"""How is a server loaded, and what came of it?"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.node import NODE_PEERS, Node
from bench.operations import Request

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Sent:
    """One POST, byte for byte."""

    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Load:
    """``requests`` are sent in turn, with ``changes`` each once; at ``rate`` a second, if one is given.

    A right answer is 200 and begins as ``expected``.
    """

    requests: Sequence[Sent]
    connections: int
    seconds: float
    changes: bool = False
    rate: int | None = None
    path: str = "/graphql"
    expected: str = '{"data"'


@dataclass(frozen=True)
class Outcome:
    """``wrong`` answers came without the data; ``errors`` are none. Milliseconds; no p95 without a rate."""

    requests: int
    seconds: float
    wrong: int
    errors: int
    p50: float
    p95: float | None
    p99: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def put(load: Load, url: str, *, node: Node, folder: Path) -> Outcome:
    """Raises RuntimeError where the generator itself fails."""
    order = folder / "order.json"
    order.write_text(json.dumps(_order(load, url)))
    ran = subprocess.run(
        [str(node.program), str(NODE_PEERS / "load.mjs"), str(order)],
        capture_output=True,
        text=True,
        check=False,
        timeout=load.seconds + PATIENCE_SECONDS,
    )
    if ran.returncode:
        raise RuntimeError(f"The load generator failed:\n{ran.stderr[-2000:]}")
    return Outcome(**json.loads(ran.stdout))


def _order(load: Load, url: str) -> Mapping[str, Any]:
    return {
        "url": url,
        "connections": load.connections,
        "seconds": load.seconds,
        "changes": load.changes,
        "rate": load.rate,
        "path": load.path,
        "expected": load.expected,
        "requests": [asdict(each) for each in load.requests],
    }


def sent(requests: Sequence[Request]) -> list[Sent]:
    return [Sent(headers(each), json.dumps(each.body)) for each in requests]


def headers(request: Request) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "x-api-key": request.api_key,
        "x-user": request.user_id,
    }
