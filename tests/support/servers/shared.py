"""How do all workers of a test run share one server that is started only when a test asks for it?"""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers import supervisor

MEMORY = "/dev/shm"
ROOM_BYTES = 6 * 2**30
READY_SECONDS = 60
STOP_SECONDS = 30
# Kept for the life of this process: they end after it.
_supervisors: list[subprocess.Popen[bytes]] = []


class ServerFailed(Exception):
    """A test server did not come up; the message ends with its last words."""


@contextmanager
def server_folder() -> Iterator[Path]:
    """Where the servers of one test run live; leaving it stops them all."""
    place = os.environ.get("REVGRAPH_TEST_TMP") or memory()
    folder = Path(tempfile.mkdtemp(prefix="revgraph-tests-", dir=place))
    folder.chmod(0o711)  # PostgreSQL runs as another user when the tests run as root
    lifeline = (folder / supervisor.LIFELINE).open("w")
    fcntl.flock(lifeline, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        lifeline.close()
        _wait_until(lambda: not list(folder.glob("*.running")), seconds=STOP_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def memory() -> str | None:
    """A file system in memory, if there is a roomy one that runs programs: databases are copied there five times as fast."""
    if not os.access(MEMORY, os.W_OK):
        return None
    system = os.statvfs(MEMORY)
    roomy = system.f_bavail * system.f_frsize >= ROOM_BYTES
    return MEMORY if roomy and not system.f_flag & os.ST_NOEXEC else None


def share(folder: Path, name: str, start: Callable[[], dict[str, str]]) -> dict[str, str]:
    """The facts that `start` returned to the first worker that asked."""
    facts = folder / f"{name}.json"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not facts.exists():
            facts.write_text(json.dumps(start()))
        known: dict[str, str] = json.loads(facts.read_text())
        return known


def launch(
    folder: Path,
    name: str,
    command: Callable[[int], list[str]],
    *,
    ready: Callable[[int], bool],
    user: str = "",
) -> int:
    """Start the server on a free port and wait until it is ready; returns the port."""
    for _ in range(3):  # somebody else may take the port between finding and using it
        port = free_port()
        (folder / name).mkdir(exist_ok=True)
        watcher = _supervise(folder, name, command(port), user)
        if _comes_up(watcher, port, ready):
            return port
    raise ServerFailed(f"{name} did not come up:\n{(folder / f'{name}.log').read_text()[-3000:]}")


def _comes_up(watcher: subprocess.Popen[bytes], port: int, ready: Callable[[int], bool]) -> bool:
    _wait_until(lambda: watcher.poll() is not None or ready(port), seconds=READY_SECONDS)
    return watcher.poll() is None and ready(port)


def _supervise(folder: Path, name: str, command: list[str], user: str) -> subprocess.Popen[bytes]:
    (folder / f"{name}.running").touch()
    with (folder / f"{name}.log").open("w") as log:
        watcher = subprocess.Popen(
            [sys.executable, supervisor.__file__, str(folder), name, user, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the tests; the servers follow by the lifeline
        )
    _supervisors.append(watcher)
    return watcher


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False
