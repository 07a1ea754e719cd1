"""Which servers are measured, and how are they started and stopped?"""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.data import Made
from bench.node import NODE_PEERS, Node
from bench.settings import BIN, ROOT, environment
from tests.support.servers.shared import free_port

READY_SECONDS = 60
STOP_SECONDS = 20


@dataclass(frozen=True)
class Server:
    """``command`` and ``settings`` may name {port} and {workers}; ``says``: what it is, for a reader."""

    name: str
    says: str
    command: tuple[str, ...]
    settings: Mapping[str, str]
    postgraphile: bool = False
    lacks: frozenset[str] = field(default_factory=frozenset)

    def can(self, operation: str) -> bool:
        return operation not in self.lacks


@dataclass(frozen=True)
class Running:
    """``ready_after``: seconds from its start to its first answer."""

    server: Server
    url: str
    pid: int
    ready_after: float


def ours(made: Made, folder: Path) -> list[Server]:
    settings = environment(folder, made.url)
    serve = (str(BIN / "revgraph"), "serve", "--no-worker", "--port", "{port}", "--workers", "{workers}")
    return [
        Server("revgraph", "as it is served: authentication, quota, log, metrics", serve, settings),
        Server(
            "revgraph, keys remembered",
            "as it is served with REMEMBER_API_KEYS_SECONDS=1",
            serve,
            {**settings, "REMEMBER_API_KEYS_SECONDS": "1"},
        ),
        Server(
            "revgraph, bare",
            "the same without authentication, rate limit, quota, log and metrics",
            _uvicorn("bench.variants:bare", "--factory"),
            settings,
            lacks=frozenset(["purchase"]),
        ),
        Server(
            "revgraph, engine off",
            "as it is served, but executed by graphql-core",
            _uvicorn("bench.variants:engine_off", "--factory"),
            settings,
        ),
    ]


def peers(made: Made, node: Node) -> list[Server]:
    settings = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "PYTHONPATH": str(ROOT),
        "PEER_DATABASE_URL": made.url,
        "PEER_PORT": "{port}",
        "PEER_WORKERS": "{workers}",
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
    }

    def on_node(name: str, says: str) -> Server:
        program = (str(node.program), str(NODE_PEERS / f"{name.lower()}.mjs"))
        lacks = frozenset(["purchase"])
        return Server(name, says, program, settings, postgraphile=name == "PostGraphile", lacks=lacks)

    return [
        Server(
            "stock Strawberry",
            "ORM entities, dataloaders, strawberry.asgi",
            _uvicorn("bench.peers.stock.server:app"),
            settings,
        ),
        on_node("Mercurius", "graphql-jit, loaders, named statements of pg"),
        on_node("PostGraphile", "version 5 on the tables and five functions"),
        on_node("Yoga", "dataloaders, named statements of pg"),
        Server(
            "one statement",
            "no GraphQL: one statement that builds the JSON, bare ASGI",
            _uvicorn("bench.peers.one_statement:app"),
            settings,
            lacks=frozenset(["purchase"]),
        ),
    ]


def _uvicorn(*application: str) -> tuple[str, ...]:
    options = ("--host", "127.0.0.1", "--port", "{port}", "--workers", "{workers}")
    return (
        sys.executable,
        "-m",
        "uvicorn",
        *application,
        *options,
        "--no-access-log",
        "--log-level",
        "warning",
    )


@contextmanager
def running(server: Server, folder: Path, *, workers: int = 1) -> Iterator[Running]:
    """Answering. Its output goes to a file in ``folder``; the end of it is told where it does not come up."""
    with all_running([server], folder, workers=workers) as (started,):
        yield started


@contextmanager
def all_running(servers: Sequence[Server], folder: Path, *, workers: int = 1) -> Iterator[list[Running]]:
    """Started together."""
    with ExitStack() as stack:
        launched = []
        for each in servers:
            launched.append(_launch(each, folder, workers))
            stack.callback(_stop, launched[-1].process)
        yield [_wait(each) for each in launched]


@dataclass(frozen=True)
class _Launched:
    server: Server
    process: "subprocess.Popen[bytes]"
    url: str
    log: Path
    begun: float


def _filled(text: str, words: Mapping[str, object]) -> str:
    """Only these words: what make hands down in the environment has braces of its own."""
    for name, value in words.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def _launch(server: Server, folder: Path, workers: int) -> _Launched:
    port = free_port()
    words = {"port": str(port), "workers": str(workers)}
    log = folder / f"{server.name.replace(' ', '-').replace(',', '')}.log"
    begun = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [_filled(part, words) for part in server.command],
            env={name: _filled(value, words) for name, value in server.settings.items()},
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    return _Launched(server, process, f"http://127.0.0.1:{port}", log, begun)


def _wait(launched: _Launched) -> Running:
    while time.monotonic() < launched.begun + READY_SECONDS and launched.process.poll() is None:
        if _answers(launched.url):
            took = time.monotonic() - launched.begun
            return Running(launched.server, launched.url, launched.process.pid, took)
        time.sleep(0.02)
    last_words = launched.log.read_text(errors="replace")[-3000:]
    raise RuntimeError(f"{launched.server.name} did not come up:\n{last_words}")


def _answers(url: str) -> bool:
    """Anything that a GraphQL server says to a stranger will do: it was read and answered."""
    body = b'{"query":"{ __typename }","operationName":"Ready","variables":{}}'
    asked = urllib.request.Request(f"{url}/graphql", body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
