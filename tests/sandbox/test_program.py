"""The program as a command: a state that survives a restart, its clock, what it may import."""

import ast
import json
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from tests.support.stand_in import SECRET, Receiver, StandIn

ROOT = Path(__file__).parents[2]


def start(port: int, *given: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "sandbox", "--port", str(port), *given]
    process = subprocess.Popen(command, cwd=ROOT)
    for _ in range(200):
        try:
            httpx.get(f"http://127.0.0.1:{port}/_sandbox")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return process
    raise AssertionError("it did not start")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_state_survives_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    port, state = free_port(), tmp_path / "state.json"
    given = ["--state", str(state), "--webhook-url", receiver.url, "--webhook-secret", SECRET, "--seed", "7"]
    client = stripe.StripeClient("sk_test_1", base_addresses={"api": f"http://127.0.0.1:{port}"})
    process = start(port, *given)
    httpx.post(f"http://127.0.0.1:{port}/_sandbox/clock", json={"days": 400})
    made = client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"})
    httpx.post(f"http://127.0.0.1:{port}/_sandbox/webhooks/drain", json={})
    httpx.post(f"http://127.0.0.1:{port}/_sandbox/webhooks/lose", json={"types": ["price.*"]})
    process.terminate()
    assert process.wait(10) in (0, -15)
    process = start(port, *given)
    try:
        assert client.v1.customers.retrieve(made.id).name == "A"
        replayed = client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"})
        assert replayed.id == made.id
        assert made.created > time.time() + 399 * 86400
        later = client.v1.customers.create({"name": "B"})
        assert later.created > time.time() + 399 * 86400
        assert len(client.v1.webhook_endpoints.list().data) == 1
        httpx.post(f"http://127.0.0.1:{port}/_sandbox/webhooks/drain", json={})
        assert len(receiver.arrived) == 2  # the first one not again
        assert httpx.get(f"http://127.0.0.1:{port}/_sandbox/webhooks").json()["lost_types"] == ["price.*"]
        assert later.id != made.id
        body, header = receiver.arrived[-1]
        assert stripe.Webhook.construct_event(body, header, SECRET).data.object["name"] == "B"
    finally:
        process.terminate()
        process.wait(10)
    assert json.loads(state.read_bytes())["tables"]["customer"][made.id]["name"] == "A"


def test_a_running_clock_lets_things_fall_due_by_themselves() -> None:
    running = StandIn(now=None)
    try:
        running.ask("/settings", processing_seconds=1)
        client = running.client()
        made = client.v1.payment_intents.create(
            {
                "amount": 500,
                "currency": "usd",
                "payment_method": "pm_usBankAccount",
                "confirm": True,
                "off_session": True,
            }
        )
        assert made.status == "processing"
        for _ in range(60):
            if client.v1.payment_intents.retrieve(made.id).status == "succeeded":
                break
            time.sleep(0.1)
        assert client.v1.payment_intents.retrieve(made.id).status == "succeeded"
    finally:
        running.stop()


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # how the SDK calls httpx
async def test_the_asynchronous_client_speaks_to_it_too(stand_in: StandIn) -> None:
    http: Any = stripe.HTTPXClient()  # its close_async is not typed
    client = stripe.StripeClient("sk_test_1", base_addresses={"api": stand_in.address}, http_client=http)
    made = await client.v1.customers.create_async({"email": "a@example.com"})
    assert (await client.v1.customers.retrieve_async(made.id)).email == "a@example.com"
    with pytest.raises(stripe.CardError):
        await client.v1.payment_methods.attach_async("pm_card_chargeDeclined", {"customer": made.id})
    await http.close_async()


def test_an_invoice_of_a_deleted_customer_is_left_alone(stand_in: StandIn) -> None:
    client = stand_in.client()
    customer = client.v1.customers.create()
    invoice = client.v1.invoices.create({"customer": customer.id, "currency": "usd", "auto_advance": True})
    client.v1.customers.delete(customer.id)
    stand_in.pass_days(2)
    assert client.v1.invoices.retrieve(invoice.id).status == "draft"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.finalize_invoice(invoice.id)


def test_the_clock_does_not_run_backwards(stand_in: StandIn) -> None:
    refused = stand_in.control.post("/_sandbox/clock", json={"now": 1})
    assert refused.status_code == 400
    for wrong in ({"weeks": 1}, {"days": "2"}):
        assert stand_in.control.post("/_sandbox/clock", json=wrong).status_code == 400
    assert stand_in.control.post("/_sandbox/settings", json={"retry_days": 3}).status_code == 400


@pytest.mark.parametrize("path", sorted(ROOT.glob("sandbox/**/*.py")), ids=lambda path: path.stem)
def test_it_stands_alone(path: Path) -> None:
    """Nothing of the server is imported, and none of its libraries that a stand-in has no use for."""
    tree = ast.parse(path.read_text())
    named = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    named += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in named if name.split(".")[0] in {"app", "sqlalchemy", "strawberry", "httpx"}]


def test_the_server_does_not_import_it() -> None:
    found = re.compile(r"^\s*(from|import) sandbox\b", re.MULTILINE)
    assert not [path for path in ROOT.glob("app/**/*.py") if found.search(path.read_text())]
