"""Strictness, idempotency, expansion and pages, as the SDK and bare requests meet them."""

import threading
import time
from typing import Any

import pytest
import stripe

from tests.support.stand_in import StandIn


def test_unknown_parameters_are_refused_by_name(stand_in: StandIn, client: stripe.StripeClient) -> None:
    misspelt: Any = {"emial": "a@example.com"}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.create(misspelt)
    assert (refused.value.code, refused.value.param) == ("parameter_unknown", "emial")
    assert refused.value.http_status == 400
    assert client.v1.customers.list().data == []


def test_nested_unknown_parameters_are_refused_with_their_path(stand_in: StandIn) -> None:
    answer = stand_in.form("POST", "/v1/prices", {
        "currency": "usd", "unit_amount": "100", "product_data[name]": "A", "recurring[interval]": "month",
        "recurring[intervall_count]": "2",
    })  # fmt: skip
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "recurring[intervall_count]"
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("given", "code", "param"),
    [
        ({"amount": "19.99", "currency": "usd"}, "parameter_invalid_integer", "amount"),
        ({"currency": "usd"}, "parameter_missing", "amount"),
        ({"amount": "500", "currency": "usd", "confirm": "yes"}, None, "confirm"),
        ({"amount": "500", "currency": "usd", "capture_method": "someday"}, None, "capture_method"),
        ({"amount": "500", "currency": ""}, "parameter_invalid_empty", "currency"),
        ({"amount": "500", "currency": "usd", "metadata": "text"}, None, "metadata"),
        ({"amount": "49", "currency": "usd"}, "amount_too_small", "amount"),
        ({"amount": "12345", "currency": "kwd"}, "parameter_invalid_integer", "amount"),
        ({"amount": "500", "currency": "usd", "customer": "cus_none"}, "resource_missing", "customer"),
        ({"amount": "500", "currency": "usd", "mandate": "m_1"}, "sandbox_not_covered", "mandate"),
    ],
)
def test_mistyped_parameters_are_refused(
    stand_in: StandIn, given: dict[str, str], code: str | None, param: str
) -> None:
    answer = stand_in.form("POST", "/v1/payment_intents", given)
    error = answer.json()["error"]
    assert (answer.status_code, error.get("code"), error["param"]) == (400, code, param)
    assert stand_in.look("")["objects"] == {}


def test_a_key_and_the_version_are_required(stand_in: StandIn) -> None:
    for refused in (None, ("sk_live_1", ""), ("", "sk_test_1")):
        assert stand_in.control.get("/v1/customers", auth=refused).status_code == 401
    broken = stand_in.control.get("/v1/customers", headers={"Authorization": "Basic !"})
    assert broken.status_code == 401
    assert stand_in.control.get("/v1/customers", auth=("sk_test_1", "")).status_code == 200
    other = stand_in.form("GET", "/v1/customers", None, **{"Stripe-Version": "2020-08-27"})
    assert (other.status_code, other.json()["error"]["code"]) == (400, "sandbox_not_covered")
    json = stand_in.form("POST", "/v1/customers", None, **{"Content-Type": "application/json"})
    assert json.status_code == 200  # no body, nothing to misread


def test_missing_objects_are_404_by_address_and_unknown_addresses_too(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v1.payment_intents.retrieve("pi_none")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError) as uncovered:
        client.v1.quotes.list()
    assert (uncovered.value.http_status, uncovered.value.code) == (404, "sandbox_not_covered")
    with pytest.raises(stripe.InvalidRequestError) as search:
        client.v1.customers.search({"query": "email:'a@example.com'"})
    assert search.value.code == "sandbox_not_covered"


def test_the_same_key_replays_the_first_answer(stand_in: StandIn, client: stripe.StripeClient) -> None:
    options: Any = {"idempotency_key": "purchase-1"}
    first = client.v1.customers.create({"email": "a@example.com"}, options)
    again = client.v1.customers.create({"email": "a@example.com"}, options)
    assert again.id == first.id
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(client.v1.customers.list().data) == 1
    with pytest.raises(stripe.IdempotencyError) as other:
        client.v1.customers.create({"email": "b@example.com"}, options)
    assert other.value.http_status == 400
    assert [row["replayed"] for row in stand_in.look("/requests")] == [False, True, False, False]


def test_a_declined_payment_is_replayed_as_declined(client: stripe.StripeClient) -> None:
    options: Any = {"idempotency_key": "attempt-1"}
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            pay(client, "pm_card_chargeDeclined", options)
    assert len(client.v1.payment_intents.list().data) == 1
    assert len(client.v1.charges.list().data) == 1


def test_parameters_that_fail_validation_do_not_take_the_key(client: stripe.StripeClient) -> None:
    options: Any = {"idempotency_key": "purchase-2"}
    misspelt: Any = {"nmae": "A"}
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.create(misspelt, options)
    assert client.v1.customers.create({"name": "A"}, options).name == "A"


def test_a_key_in_flight_is_409_and_keys_are_forgotten_after_a_day(
    stand_in: StandIn, client: stripe.StripeClient
) -> None:
    stand_in.ask("/faults", kind="delay", seconds=0.6, path="/v1/customers")
    slow = threading.Thread(target=client.v1.customers.create, args=({"name": "A"}, {"idempotency_key": "k"}))
    slow.start()
    time.sleep(0.2)
    busy = stand_in.form("POST", "/v1/customers", {"name": "A"}, **{"Idempotency-Key": "k"})
    assert (busy.status_code, busy.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    slow.join()
    done = stand_in.form("POST", "/v1/customers", {"name": "A"}, **{"Idempotency-Key": "k"})
    assert (done.status_code, done.headers["Idempotent-Replayed"]) == (200, "true")
    stand_in.pass_days(2)
    fresh = stand_in.form("POST", "/v1/customers", {"name": "A"}, **{"Idempotency-Key": "k"})
    assert fresh.json()["id"] != done.json()["id"]


def test_expansion_goes_into_lists_and_refuses_what_it_cannot_expand(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "a@example.com"})
    pay(client, "pm_card_visa", customer=customer.id)
    found = client.v1.payment_intents.list(
        {"expand": ["data.latest_charge.balance_transaction", "data.customer"]}
    ).data[0]
    assert isinstance(found.latest_charge, stripe.Charge)
    assert isinstance(found.latest_charge.balance_transaction, stripe.BalanceTransaction)
    assert found.latest_charge.balance_transaction.net == 2000 - 58 - 30
    assert isinstance(found.customer, stripe.Customer)
    assert found.customer.email == "a@example.com"
    plain = client.v1.payment_intents.retrieve(found.id)
    assert plain.customer == customer.id
    for path in ("amount", "nothing", "customer.email"):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.retrieve(found.id, {"expand": [path]})


def test_pages_follow_cursors_both_ways(client: stripe.StripeClient) -> None:
    made = [client.v1.customers.create({"name": str(number)}).id for number in range(5)]
    newest = made[::-1]
    first = client.v1.customers.list({"limit": 2})
    assert ([row.id for row in first.data], first.has_more) == (newest[:2], True)
    second = client.v1.customers.list({"limit": 2, "starting_after": newest[1]})
    assert ([row.id for row in second.data], second.has_more) == (newest[2:4], True)
    back = client.v1.customers.list({"limit": 1, "ending_before": newest[2]})
    assert ([row.id for row in back.data], back.has_more) == ([newest[1]], True)
    assert [row.id for row in client.v1.customers.list({"limit": 2}).auto_paging_iter()] == newest
    for wrong in ({"limit": 0}, {"limit": 101}, {"starting_after": "cus_none"}):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.customers.list(wrong)  # type: ignore[arg-type]  # a plain dict will do here


def test_metadata_is_merged_and_unset(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"metadata": {"a": "1", "b": "2"}})
    changed = client.v1.customers.update(customer.id, {"metadata": {"b": "", "c": "3"}})
    assert changed.to_dict()["metadata"] == {"a": "1", "c": "3"}
    assert client.v1.customers.update(customer.id, {"metadata": ""}).to_dict()["metadata"] == {}


def pay(
    client: stripe.StripeClient, card: str, options: Any = None, *, customer: str | None = None
) -> stripe.PaymentIntent:
    given: Any = {
        "amount": 2000, "currency": "usd", "payment_method": card, "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
    }  # fmt: skip
    if customer:
        given["customer"] = customer
    return client.v1.payment_intents.create(given, options)
