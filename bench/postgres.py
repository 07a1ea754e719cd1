"""A PostgreSQL of the benchmark's own, as durable as a real one, whose data stay from run to run."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.servers import postgres
from tests.support.servers.shared import free_port
from tests.support.servers.supervisor import as_user

# fsync, synchronous commits and full-page writes stay on: a purchase costs what it costs.
SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "timezone": "UTC",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}
READY_SECONDS = 60


@dataclass(frozen=True)
class Postgres:
    """``pid`` is the first of its processes, whose children serve the connections; ``home`` has its data."""

    server: postgres.PostgresServer
    pid: int
    binaries: Path
    home: Path

    def version(self) -> str:
        return _version(self.binaries)

    def url(self, database: str) -> str:
        return self.server.url(database).replace("+asyncpg", "")


@contextmanager
def running(folder: Path) -> Iterator[Postgres]:
    """With the data in ``folder`` that its version can read."""
    home = folder / f"postgres-{_version(postgres.find_binaries()).partition('.')[0]}"
    binaries, user = postgres.installed(home)
    port = free_port()
    command = postgres.command(binaries, home, port, SETTINGS)
    options: dict[str, Any] = as_user(user)
    with (folder / "postgres.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=home, stdout=log, stderr=log, **options)
    try:
        _wait(process, port, folder / "postgres.log")
        yield Postgres(postgres.PostgresServer(host="127.0.0.1", port=port), process.pid, binaries, home)
    finally:
        process.send_signal(2)  # its "fast" stop, which ends the connections
        process.wait(timeout=READY_SECONDS)


def _version(binaries: Path) -> str:
    told = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
    return told.stdout.split(") ")[-1].strip()


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if postgres.answers(port):
            return
        time.sleep(0.1)
    raise RuntimeError(f"PostgreSQL did not come up:\n{log.read_text()[-2000:]}")
