"""Where do the measured data come from? `revgraph bench-database` makes them once for each size."""

import asyncio
import json
import sqlite3
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]  # it carries no types

from app.cli.bench.plan import Plan, day
from bench.postgres import Postgres
from bench.settings import BIN, ROOT, environment

FUNCTIONS = ROOT / "bench" / "peers" / "functions.sql"
BOUGHT = "SELECT user_id, package_id FROM purchases"


@dataclass(frozen=True)
class Size:
    """``name`` tells the databases of several sizes apart."""

    name: str
    users: int
    packages: int
    events: int


FULL = Size("full", users=100_000, packages=10_000, events=1_000_000)
QUICK = Size("quick", users=2_000, packages=500, events=10_000)
TINY = Size("tiny", users=200, packages=60, events=0)


@dataclass(frozen=True)
class Made:
    """A filled database. ``bought``: (user, package) of all purchases."""

    url: str
    plan: Plan
    bought: set[tuple[UUID, UUID]]


def on_postgres(postgres: Postgres, folder: Path, size: Size) -> Made:
    note = postgres.home / f"{size.name}.json"
    url = postgres.url(f"bench_{size.name}")
    if _noted(note) is None:
        postgres.server.drop_database(f"bench_{size.name}")
        postgres.server.create_database(f"bench_{size.name}")
    plan = _plan(note, folder, url, size)
    postgres.server.execute(FUNCTIONS.read_text(), database=f"bench_{size.name}")
    return Made(url, plan, asyncio.run(_bought_on_postgres(url)))


async def _bought_on_postgres(url: str) -> set[tuple[UUID, UUID]]:
    connection = await asyncpg.connect(url, ssl=False)
    try:
        return {(row[0], row[1]) for row in await connection.fetch(BOUGHT)}
    finally:
        await connection.close()


def on_sqlite(folder: Path, size: Size) -> Made:
    note, path = folder / f"sqlite-{size.name}.json", folder / f"{size.name}.db"
    if _noted(note) is None:
        for each in folder.glob(f"{size.name}.db*"):
            each.unlink()
    plan = _plan(note, folder, f"sqlite:///{path}", size)
    with sqlite3.connect(path) as connection:
        bought = {(UUID(user), UUID(package)) for user, package in connection.execute(BOUGHT)}
    connection.close()
    return Made(f"sqlite:///{path}", plan, bought)


def _plan(note: Path, folder: Path, url: str, size: Size) -> Plan:
    """Of the database that is there, or is made now."""
    facts = _noted(note)
    until = datetime.fromisoformat(str(facts["until"])) if facts else day(datetime.now(UTC))
    plan = Plan(users=size.users, packages=size.packages, events=size.events, seed=1, until=until)
    if facts is None:
        _fill(folder, url, plan)
        noted = {**asdict(plan), "until": until.isoformat(), "maker": _maker()}
        note.write_text(json.dumps(noted))
    return plan


def _noted(note: Path) -> Mapping[str, object] | None:
    """None where there is no database, or one that today's program would make otherwise."""
    facts = json.loads(note.read_text()) if note.exists() else {}
    return facts if facts.get("maker") == _maker() else None


def _maker() -> str:
    """Of all that decides how the tables look and what is in them."""
    sources = [*(ROOT / "app/db/migrations/versions").glob("*.py"), *(ROOT / "app/cli/bench").glob("*.py")]
    return sha256(b"".join(each.read_bytes() for each in sorted(sources))).hexdigest()


def _fill(folder: Path, url: str, plan: Plan) -> None:
    command = [
        *(str(BIN / "revgraph"), "bench-database", url),
        *("--users", str(plan.users), "--packages", str(plan.packages), "--events", str(plan.events)),
        *("--until", f"{plan.until:%Y-%m-%d}"),
    ]
    subprocess.run(command, env=environment(folder, url), cwd=folder, check=True)
