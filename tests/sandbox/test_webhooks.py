"""Events reach their receiver: signed, again after failures, held, permuted, duplicated, lost."""

import json
import re
import socket
import threading
import time
from pathlib import Path
from typing import get_args

import pytest
import stripe
from stripe.params import WebhookEndpointCreateParams

import sandbox
from sandbox.params import fields
from sandbox.rendering import API_VERSION
from tests.support.stand_in import SECRET, Receiver, StandIn


def customers(stand_in: StandIn, count: int) -> None:
    for number in range(count):
        stand_in.client().v1.customers.create({"name": str(number)})


def names(receiver: Receiver) -> list[str]:
    return [json.loads(body)["data"]["object"]["name"] for body, _ in receiver.arrived]


def test_events_are_signed_as_the_sdk_verifies(notified: StandIn, receiver: Receiver) -> None:
    client = notified.client()
    customer = client.v1.customers.create({"name": "A"}, {"idempotency_key": "k1"})
    client.v1.customers.update(customer.id, {"name": "B"})
    assert notified.ask("/webhooks/drain")["drained"] is True
    events = [stripe.Webhook.construct_event(body, header, SECRET) for body, header in receiver.arrived]
    assert [event.type for event in events] == ["customer.created", "customer.updated"]
    assert events[0].api_version == API_VERSION
    assert events[0].livemode is False
    assert events[0].request is not None
    assert events[0].request.idempotency_key == "k1"
    previous = events[1].data.previous_attributes
    assert previous is not None
    assert previous.to_dict() == {"name": "A"}
    assert events[1].data.object["name"] == "B"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(receiver.arrived[0][0], receiver.arrived[0][1], "whsec_other")
    stored = client.v1.events.retrieve(events[0].id)
    assert stored.pending_webhooks == 0
    assert stored.data.object["name"] == "A"  # as it was then


def test_an_update_that_changes_nothing_is_no_event(notified: StandIn, receiver: Receiver) -> None:
    client = notified.client()
    customer = client.v1.customers.create({"name": "A"})
    client.v1.customers.update(customer.id, {"name": "A"})
    notified.ask("/webhooks/drain")
    assert receiver.types == ["customer.created"]


def test_failures_are_repeated_with_growing_waits_while_others_go_on(
    notified: StandIn, receiver: Receiver
) -> None:
    receiver.answers = [500, 200, 503]
    customers(notified, 2)
    began = time.monotonic()
    notified.ask("/webhooks/drain")
    assert time.monotonic() - began >= 0.05  # 0.02 and 0.04 seconds
    assert names(receiver) == ["0", "1", "0", "0"]
    rows = notified.look("/webhooks")["deliveries"]
    assert [(row["status"], row["answers"]) for row in rows] == [
        ("delivered", [500, 503, 200]), ("delivered", [200]),
    ]  # fmt: skip


def test_an_endpoint_that_is_down_is_tried_again(notified: StandIn, receiver: Receiver) -> None:
    notified.client().v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/none", "enabled_events": ["price.created"]}
    )
    customers(notified, 1)
    assert notified.ask("/webhooks/drain")["drained"] is True
    notified.client().v1.prices.create({"currency": "usd", "unit_amount": 5, "product_data": {"name": "A"}})
    assert notified.ask("/webhooks/drain", timeout=0.3)["drained"] is False
    down = [row for row in notified.look("/webhooks")["deliveries"] if row["status"] == "waiting"]
    assert len(down) == 1
    assert "Connect" in down[0]["answers"][0]


def test_held_events_go_out_in_any_order(notified: StandIn, receiver: Receiver) -> None:
    notified.ask("/webhooks/hold")
    customers(notified, 3)
    assert notified.ask("/webhooks/drain")["drained"] is True
    assert receiver.arrived == []
    notified.ask("/webhooks/release", permutation=[2, 0, 1])
    notified.ask("/webhooks/drain")
    assert names(receiver) == ["2", "0", "1"]
    refused = notified.control.post("/_sandbox/webhooks/release", json={"permutation": [0, 0]})
    assert refused.status_code == 400


def test_events_are_released_by_name_dropped_and_duplicated(notified: StandIn, receiver: Receiver) -> None:
    notified.ask("/webhooks/hold")
    customers(notified, 3)
    held = [row["event"] for row in notified.look("/webhooks")["deliveries"]]
    notified.ask("/webhooks/drop", events=[held[1]])
    for control, given in (("release", {"order": [held[0], held[1]]}), ("drop", {"events": ["evt_0"]})):
        assert notified.control.post(f"/_sandbox/webhooks/{control}", json=given).status_code == 400
    notified.ask("/webhooks/hold", hold=False)
    notified.ask("/webhooks/release", order=[held[2], held[0]])
    notified.ask("/webhooks/duplicate", event=held[0], times=2)
    notified.ask("/webhooks/drain")
    assert names(receiver) == ["2", "0", "0", "0"]


def test_lost_types_never_arrive_but_stay_in_the_list(notified: StandIn, receiver: Receiver) -> None:
    notified.ask("/webhooks/lose", types=["customer.*"])
    customers(notified, 1)
    notified.ask("/webhooks/lose", types=[])
    customers(notified, 1)
    notified.ask("/webhooks/drain")
    assert len(receiver.arrived) == 1
    assert len(notified.client().v1.events.list().data) == 2


def test_events_of_what_was_rolled_back_are_never_sent(notified: StandIn, receiver: Receiver) -> None:
    client = notified.client()
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.create({"name": "A", "expand": ["nothing"]})
    notified.ask("/webhooks/drain")
    assert receiver.arrived == []
    assert client.v1.customers.list().data == []


def test_events_are_listed_by_type_for_thirty_days(stand_in: StandIn) -> None:
    customers(stand_in, 1)
    client = stand_in.client()
    assert len(client.v1.events.list({"types": ["customer.*", "invoice.paid"]}).data) == 1
    assert client.v1.events.list({"type": "invoice.paid"}).data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.events.list({"type": "invoice.paid", "types": ["customer.created"]})
    [event] = client.v1.events.list().data
    assert client.v1.events.retrieve(event.id).type == "customer.created"
    stand_in.pass_days(31)
    assert client.v1.events.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.events.retrieve(event.id)


def test_every_event_type_is_one_that_stripe_has() -> None:
    listed = fields(WebhookEndpointCreateParams)["enabled_events"]
    known = set(get_args(get_args(listed)[0]))
    sources = [path.read_text() for path in Path(sandbox.__path__[0]).glob("**/*.py")]
    emitted = {kind for source in sources for kind in re.findall(r'world\.emit\(\s*"([\w.]+)"', source)}
    assert len(emitted) > 60
    assert emitted - known == set()


def test_an_answer_that_is_no_http_is_a_failure_like_others(notified: StandIn, receiver: Receiver) -> None:
    """And does not stop the deliveries."""
    with socket.create_server(("127.0.0.1", 0)) as odd:
        threading.Thread(target=answer_oddly, args=(odd,), daemon=True).start()
        url = f"http://127.0.0.1:{odd.getsockname()[1]}/"
        client = notified.client()
        client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["price.created"]})
        client.v1.prices.create({"currency": "usd", "unit_amount": 5, "product_data": {"name": "A"}})
        customers(notified, 1)
        while "customer.created" not in receiver.types:
            time.sleep(0.01)
    rows = notified.look("/webhooks")["deliveries"]
    assert 0 in [answer for row in rows if row["type"] == "price.created" for answer in row["answers"]]


def answer_oddly(listening: socket.socket) -> None:
    with listening.accept()[0] as connection:
        connection.sendall(b"HTTP/1.1\r\n\r\n")
