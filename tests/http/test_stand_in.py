"""Do payments of a demonstration go to a stand-in that lives exactly as long as the server?"""

import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import stripe

from app.db.database import Database
from tests.support.commands import Revgraph, Running, serving
from tests.support.factories import make_user

BANNER = re.compile(r"payments +(http://127\.0\.0\.1:\d+) +\(a stand-in for Stripe")


pytestmark = pytest.mark.timeout(300)  # several servers start one after the other


@pytest.fixture
async def revgraph(tmp_path: Path, sqlite_template: Path) -> Revgraph:
    """With somebody's database, so that no start loads the sample."""
    (tmp_path / "var").mkdir()
    path = tmp_path / "var" / "revgraph.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    await make_user(database)
    await database.close()
    return Revgraph(tmp_path)


def address_of(revgraph: Revgraph) -> str:
    found = BANNER.search((revgraph.folder / "out").read_text())
    assert found is not None
    return found[1]


def processes_below(parent: int) -> dict[int, dict[str, str]]:
    """The settings for Stripe of every process that ``parent`` started, by its id."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(above) for pid, above in (line.split() for line in listed.splitlines())}
    found = {}
    for pid in parents:
        above = pid
        while above in parents and above != parent:
            above = parents[above]
        if above == parent:
            try:
                lines = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
            except OSError:
                continue
            found[pid] = dict(line.split("=", 1) for line in lines if line.startswith("STRIPE_"))
    return found


def wait_until_gone(address: str, *, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            httpx.get(f"{address}/_sandbox", timeout=2)
        except httpx.TransportError:
            return
        time.sleep(0.1)
    raise AssertionError("the stand-in outlives the server")


def wait_until_kept(what: str, state: Path, *, seconds: float = 15) -> None:
    """Written after the last connection was closed."""
    end = time.monotonic() + seconds
    while what not in state.read_text():
        assert time.monotonic() < end, "the stand-in ended without a word"
        time.sleep(0.05)


def client(address: str) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_x", base_addresses={"api": address})


def test_it_runs_beside_the_server_and_tells_it_what_happens(revgraph: Revgraph) -> None:
    with serving(revgraph, "--demo") as server:
        address = address_of(revgraph)
        intent = client(address).v1.payment_intents.create({"amount": 2900, "currency": "usd"})
        assert f'href="/pay/{intent.id}">29.00 USD' in httpx.get(address).text
        httpx.post(f"{address}/_sandbox/webhooks/drain", json={"timeout": 1})
        deliveries = httpx.get(f"{address}/_sandbox/webhooks").json()["deliveries"]
        assert server.stop() == 0
        wait_until_gone(address)

    assert [each["type"] for each in deliveries] == ["payment_intent.created"]
    assert isinstance(deliveries[0]["answers"][0], int), "it was this server that answered"
    requests = [line for line in revgraph.err.splitlines() if "/webhooks/stripe" in line]
    assert len(requests) >= 1
    with serving(revgraph, "--demo"):
        again = client(address_of(revgraph))
        assert again.v1.payment_intents.retrieve(intent.id).amount == 2900, "it remembers"
        assert len(again.v1.webhook_endpoints.list().data) == 1, "the first one's port is somebody else's"


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_it_ends_with_the_server(revgraph: Revgraph, sign: signal.Signals) -> None:
    with serving(revgraph, "--demo") as server:
        address = address_of(revgraph)
        made = client(address).v1.customers.create({"name": "A"})
        server.stop(sign)
        wait_until_gone(address)
    wait_until_kept(made.id, revgraph.folder / "var" / "stripe-stand-in.json")
    assert "Traceback" not in revgraph.err


def test_every_process_of_the_server_reads_the_same(revgraph: Revgraph) -> None:
    with serving(revgraph, "--demo", "--workers", "2") as server:
        address = address_of(revgraph)
        told = [settings for settings in processes_below(server.process.pid).values() if settings]
        assert server.stop() == 0
        wait_until_gone(address)
    assert len(told) >= 3, "two that serve, and the stand-in"
    assert {each["STRIPE_API_BASE"] for each in told} == {address}
    assert {each["STRIPE_API_KEY"] for each in told} == {"sk_test_stand_in"}
    assert len({each["STRIPE_WEBHOOK_SECRET"] for each in told}) == 1


def test_nobody_else_s_account_is_replaced(revgraph: Revgraph) -> None:
    with serving(revgraph, "--demo", STRIPE_API_KEY="sk_test_mine") as server:
        assert _started(server) == 0
    assert BANNER.search((revgraph.folder / "out").read_text()) is None
    with serving(revgraph) as server:
        assert _started(server) == 0, "payments are off without --demo"
    assert not (revgraph.folder / "var" / "stripe-stand-in.json").exists()


def _started(server: Running) -> int:
    command = ["pgrep", "--parent", str(server.process.pid), "--full", "sandbox", "--count"]
    return int(subprocess.run(command, capture_output=True, text=True, check=False).stdout)


def test_what_it_cannot_start_with_is_said(revgraph: Revgraph) -> None:
    (revgraph.folder / "var" / "revgraph.db").unlink()
    (revgraph.folder / "var" / "stripe-stand-in.json").write_text("nonsense")
    ran = revgraph("serve", "--demo", "--port", "0")
    assert ran.code == 1
    assert "holds no state" in ran.err
    assert "The stand-in for Stripe did not start" in ran.err
    assert not (revgraph.folder / "var" / "revgraph.db").exists()


def test_the_page_of_nothing(revgraph: Revgraph) -> None:
    with serving(revgraph, "--demo"):
        address = address_of(revgraph)
        assert "Nothing waits to be paid." in httpx.get(address).text
        assert urlsplit(address).hostname == "127.0.0.1"
