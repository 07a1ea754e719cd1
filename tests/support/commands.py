"""The ``revgraph`` command as people run it: a process of its own, in a folder and environment of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from app.config import Settings

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a secret of the tests that is long enough"


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass
class Revgraph:
    """Runs in ``folder``; ``settings`` are environment variables."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, stdin: str | bytes = b"", **settings: str) -> Ran:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            self._command(arguments), input=given, env=self._env(settings), cwd=self.folder,
            capture_output=True, timeout=100, check=False,
        )  # fmt: skip
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in ran.said, ran.said
        return ran

    def start(self, *arguments: str, **settings: str) -> "subprocess.Popen[bytes]":
        """Its output goes into files of the folder."""
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            return subprocess.Popen(
                self._command(arguments), env=self._env(settings), cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            )  # fmt: skip

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "app.cli", *arguments]

    def _env(self, settings: dict[str, str]) -> dict[str, str]:
        names = {name.upper() for name in Settings.model_fields}
        kept = {name: value for name, value in os.environ.items() if name.upper() not in names}
        return kept | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"} | self.settings | settings

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text()


@dataclass
class Running:
    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self, sign: signal.Signals = signal.SIGTERM, *, seconds: float = 20) -> int:
        """The exit code."""
        self.process.send_signal(sign)
        return self.process.wait(seconds)


@contextmanager
def serving(revgraph: Revgraph, *arguments: str, **settings: str) -> Iterator[Running]:
    """A server on a free port, from when it is ready until the block ends."""
    port = free_port()
    process = revgraph.start("serve", "--port", str(port), *arguments, **settings)
    running = Running(process, port)
    try:
        _wait_until_ready(running, revgraph)
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


def _wait_until_ready(running: Running, revgraph: Revgraph, *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert running.process.poll() is None, revgraph.err
        try:
            if httpx.get(f"{running.url}/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"not ready within {seconds} s: {revgraph.err}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
