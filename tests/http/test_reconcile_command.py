"""``revgraph reconcile`` as an operator runs it, against a stand-in for Stripe."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.cli import reconcile
from app.db.database import Database
from app.domain.settlement import Kind, Target
from app.domain.webhooks import read_event
from app.services import reconciliation
from app.services.reconciliation import Report
from app.settlement import leases
from tests.support.commands import Revgraph
from tests.support.stand_in import StandIn


@pytest.fixture
def real_time_stand_in() -> Iterator[StandIn]:
    running = StandIn(now=int(datetime.now(UTC).timestamp()))
    yield running
    running.stop()


@pytest.fixture
def revgraph(tmp_path: Path, database_url: str, real_time_stand_in: StandIn) -> Revgraph:
    return Revgraph(
        tmp_path,
        {
            "DATABASE_URL": database_url,
            "VAR_DIR": str(tmp_path / "var"),
            "JWT_SECRET": "a secret of the tests that is long enough",
            "STRIPE_API_KEY": "sk_test_123",
            "STRIPE_API_BASE": real_time_stand_in.address,
        },
    )


def test_it_tells_mends_and_then_finds_nothing(revgraph: Revgraph, real_time_stand_in: StandIn) -> None:
    real_time_stand_in.client().v1.payment_intents.create({"amount": 1000, "currency": "usd"})
    rehearsed = revgraph("reconcile", "--dry-run")
    assert rehearsed.code == 1
    missed, compared = rehearsed.out.splitlines()
    assert missed == "1 events had not arrived."
    assert "1 payments (0 differed)" in compared
    done = revgraph("reconcile", "--since", "12h")
    assert (done.code, done.out.splitlines()[0]) == (0, "1 events had not arrived; they have been acted on.")
    again = revgraph("reconcile", "--dry-run")
    assert (again.code, again.out.splitlines()[0]) == (0, "0 events had not arrived.")


def test_one_runs_at_a_time(revgraph: Revgraph, database_url: str) -> None:
    async def another_begins() -> None:
        database = Database(database_url)
        await leases.take(database, reconciliation.LEASE_NAME, clock=lambda: datetime.now(UTC))
        await database.close()

    asyncio.run(another_begins())
    refused = revgraph("reconcile", "--dry-run")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.splitlines() == [
        "Another reconciliation is running.",
        "Wait until it has ended; if it was killed, another one may begin after 60 seconds.",
    ]


def test_what_could_not_be_acted_on_is_not_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    event = read_event(
        {
            "id": "evt_1",
            "object": "event",
            "type": "payment_intent.succeeded",
            "created": 1,
            "livemode": False,
            "data": {"object": {"id": "pi_1"}},
        }
    )
    report = Report(missed=[event], failed={Target(Kind.PAYMENT, "pi_1"): "no answer"})
    reconcile._tell(report, dry_run=False)
    told = capsys.readouterr()
    assert told.out.startswith("1 events had not arrived; a worker tries again what failed of them.\n")
    assert told.err == "payment pi_1 could not be compared: no answer\n"


def test_what_cannot_be_asked_is_said(revgraph: Revgraph, real_time_stand_in: StandIn) -> None:
    wrong = revgraph("reconcile", "--since", "yesterday")
    advice = "Write 12h, 30d, or a moment such as 2026-11-01 or 2026-11-01T12:00Z."
    assert (wrong.code, wrong.err.splitlines()) == (2, ["--since: 'yesterday' is no moment.", advice])
    assert revgraph("reconcile", "--since", "9999-01-01").code == 2
    real_time_stand_in.ask("/faults", kind="error", status=500, path="*", times=1000)
    away = revgraph("reconcile")
    assert away.code == 1
    assert away.err.startswith("Stripe cannot be asked: ")
    nothing = revgraph("reconcile", STRIPE_API_KEY="", STRIPE_API_BASE="")
    assert nothing.code == 3
    assert "STRIPE_API_KEY" in nothing.err
