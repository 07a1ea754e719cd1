"""How many signed events a second does the webhook take in, and how long does the provider wait?

    python -m bench.webhooks [--quick]

An event counts as accepted when it was answered with 200 and stands in the database.
"""

import asyncio
import hmac
import json
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import asyncpg  # type: ignore[import-untyped]  # it carries no types
import stripe
import typer

from bench import node, postgres
from bench.load import Load, Outcome, Sent, put
from bench.machine import Facts
from bench.processes import cpu_seconds
from bench.report import table
from bench.servers import Running, Server, running
from bench.settings import BIN, ROOT, environment

RESULTS = ROOT / "bench" / "webhooks.md"
SECRET = "whsec_made_for_measuring"  # noqa: S105 - of a server that only this program knows
COUNT = "SELECT count(*) FROM webhook_events"
WANTED = {"PostgreSQL": 1_000, "SQLite": 500}
"""Events a second, with 99 of 100 answered within ``P99`` milliseconds."""
P99 = 100.0
CONNECTIONS = 64
MOST_A_SECOND = 8_000
"""More than are taken in; each is sent once."""


@dataclass(frozen=True)
class Intake:
    """``stored``: how many more stand in the database than before. ``seconds_of_cpu``: server, database."""

    database: str
    processes: int
    asked: int | None
    outcome: Outcome
    stored: int
    seconds_of_cpu: tuple[float, float]


def main(
    quick: Annotated[bool, typer.Option("--quick", help="A few events, to try it out.")] = False,
    folder: Annotated[Path, typer.Option(help="Where the databases are kept.")] = ROOT / ".cache" / "bench",
) -> None:
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    installed, seconds = node.installed(), 1 if quick else 10
    intakes: list[Intake] = []
    with postgres.running(folder) as server:
        facts = Facts(None, installed, server.version(), f"one of {seconds} s")
        for processes in sorted({1, os.cpu_count() or 1}):
            server.server.drop_database("bench_webhooks")
            server.server.create_database("bench_webhooks")
            url = server.url("bench_webhooks")
            place = Place("PostgreSQL", url, folder, server.pid)
            intakes += take_in(place, installed, processes=processes, seconds=seconds)
    for each in folder.glob("webhooks.db*"):
        each.unlink()
    url = f"sqlite:///{folder / 'webhooks.db'}"
    intakes += take_in(Place("SQLite", url, folder, None), installed, processes=1, seconds=seconds)
    text = "\n".join(_page(intakes, facts))
    print(text)
    if not quick:
        RESULTS.write_text(text)


@dataclass(frozen=True)
class Place:
    """An empty database. ``pid``: the first process of its server, if it has one."""

    database: str
    url: str
    folder: Path
    pid: int | None


def take_in(place: Place, installed: node.Node, *, processes: int, seconds: float) -> Iterator[Intake]:
    """At the wanted rate, whatever becomes of the answers; then as many as it will."""
    folder = place.folder
    settings = {
        **environment(folder, place.url),
        "STRIPE_API_KEY": "sk_test_made_for_measuring",
        "STRIPE_WEBHOOK_SECRET": SECRET,
    }
    migrate = [str(BIN / "revgraph"), "migrate"]
    subprocess.run(migrate, env=settings, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    serve = (str(BIN / "revgraph"), "serve", "--no-worker", "--port", "{port}", "--workers", "{workers}")
    server = Server("revgraph-webhooks", "the webhook", serve, settings)
    with running(server, folder, workers=processes) as started:
        put(_load(None, 1), started.url, node=installed, folder=folder)  # pools and statements are made
        for rate in (WANTED[place.database], None):
            loaded, before, cpu = _load(rate, seconds), _settled(place.url), _cpu(started, place)
            outcome = put(loaded, started.url, node=installed, folder=folder)
            stored = _settled(place.url) - before
            spent = _cpu(started, place)
            taken = (spent[0] - cpu[0], spent[1] - cpu[1])
            yield Intake(place.database, processes, rate, outcome, stored, taken)


def _cpu(started: Running, place: Place) -> tuple[float, float]:
    return cpu_seconds(started.pid), cpu_seconds(place.pid) if place.pid else 0.0


def _load(rate: int | None, seconds: float) -> Load:
    number = int((rate or MOST_A_SECOND) * seconds)
    return Load(
        [_signed(each) for each in _events(number)],
        CONNECTIONS,
        seconds,
        changes=True,
        rate=rate,
        path="/webhooks/stripe",
        expected='{"received":true}',
    )


def _events(number: int) -> Iterator[str]:
    """Each with ids of its own, of about the size that such events have."""
    moment, run = int(time.time()), os.urandom(6).hex()
    for each in range(number):
        intent = {
            "id": f"pi_{run}{each}",
            "object": "payment_intent",
            "amount": 2900,
            "currency": "usd",
            "customer": f"cus_{run}{each % 1000}",
            "metadata": {"purchase": f"{run}-{each}"},
            "status": "succeeded",
            **{f"field_{number}": "made for measuring" for number in range(40)},
        }
        event = {
            "id": f"evt_{run}{each}",
            "object": "event",
            "api_version": stripe.api_version,
            "created": moment,
            "livemode": False,
            "type": "payment_intent.succeeded",
            "data": {"object": intent},
        }
        yield json.dumps(event)


def _signed(body: str) -> Sent:
    moment = int(time.time())
    digest = hmac.new(SECRET.encode(), f"{moment}.{body}".encode(), sha256).hexdigest()
    signature = f"t={moment},v1={digest}"
    return Sent({"content-type": "application/json", "stripe-signature": signature}, body)


def _settled(url: str) -> int:
    """How many are stored, once those that were on their way when the load ended are too."""
    before, now = -1, _stored(url)
    while before != now:
        time.sleep(0.5)
        before, now = now, _stored(url)
    return now


def _stored(url: str) -> int:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return int(connection.execute(COUNT).fetchone()[0])
    return asyncio.run(_stored_on_postgres(url))


async def _stored_on_postgres(url: str) -> int:
    connection = await asyncpg.connect(url, ssl=False)
    try:
        return int(await connection.fetchval(COUNT))
    finally:
        await connection.close()


INTRODUCTION = f"""\
Written by `make bench-webhooks`. An event is accepted when it was answered with 200 and stands in the
database; the worker, which acts on events, runs apart. Wanted: the rate asked for, 99 of 100 within
{P99:g} ms, counted from when each event was due. Processor time is the server's + PostgreSQL's.
""".splitlines()


def _page(intakes: list[Intake], facts: Facts) -> Iterator[str]:
    yield from ["# Webhook intake", "", *INTRODUCTION, ""]
    yield from table(["", ""], [[name, value] for name, value in facts.lines()])
    head = [
        "database",
        "processes",
        "asked a second",
        "accepted",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "CPU ms an event",
    ]
    yield from table([*head, ""], [_row(each) for each in intakes])


def _row(intake: Intake) -> list[str]:
    outcome = intake.outcome
    times = [f"{each:,.1f}" if each is not None else "-" for each in (outcome.p50, outcome.p95, outcome.p99)]
    asked = f"{intake.asked:,}" if intake.asked else "all it will"
    cost = [f"{1000 * each / max(intake.stored, 1):.2f}" for each in intake.seconds_of_cpu]
    counts = [intake.database, str(intake.processes), asked, f"{outcome.rate:,.0f}"]
    return [*counts, *times, " + ".join(cost), _verdict(intake)]


def _verdict(intake: Intake) -> str:
    outcome = intake.outcome
    lost = outcome.requests - outcome.wrong - intake.stored
    if outcome.wrong or outcome.errors or lost > 0:
        return f"{outcome.wrong} refused, {outcome.errors} unanswered, {max(lost, 0)} lost"
    if intake.asked is None:
        return ""
    return "met" if outcome.p99 < P99 and outcome.rate > 0.98 * intake.asked else "missed"


if __name__ == "__main__":
    typer.run(main)
