"""Faults: before and after the commit, lost answers, limits, delays; and how the SDK's retries meet them."""

from typing import Any

import pytest
import stripe

from tests.support.stand_in import StandIn

OPTIONS: Any = {"idempotency_key": "purchase-1"}


def create(client: stripe.StripeClient) -> stripe.Customer:
    return client.v1.customers.create({"name": "A"}, OPTIONS)


def count(client: stripe.StripeClient) -> int:
    return len(client.v1.customers.list().data)


def test_an_error_before_the_commit_leaves_nothing(stand_in: StandIn, client: stripe.StripeClient) -> None:
    stand_in.ask("/faults", kind="error", when="before", method="POST", path="/v1/customers")
    with pytest.raises(stripe.APIError):
        create(client)
    assert count(client) == 0
    assert create(client).name == "A"
    assert count(client) == 1


@pytest.mark.parametrize("kind", ["error", "drop"])
def test_an_answer_lost_after_the_commit_is_found_under_its_key(
    stand_in: StandIn, client: stripe.StripeClient, kind: str
) -> None:
    stand_in.ask("/faults", kind=kind, when="after", method="POST")
    with pytest.raises(stripe.APIConnectionError if kind == "drop" else stripe.APIError):
        create(client)
    assert count(client) == 1
    again = create(client)
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert count(client) == 1


def test_a_replayed_answer_may_be_lost_too(stand_in: StandIn, client: stripe.StripeClient) -> None:
    stand_in.ask("/faults", kind="drop", when="after", method="POST", times=2)
    for _ in range(2):
        with pytest.raises(stripe.APIConnectionError):
            create(client)
    assert create(client).name == "A"
    assert count(client) == 1


def test_a_stored_error_is_replayed_for_ever(stand_in: StandIn, client: stripe.StripeClient) -> None:
    stand_in.ask("/faults", kind="error", when="after", method="POST", stored=True)
    for _ in range(3):
        with pytest.raises(stripe.APIError):
            create(client)
    assert count(client) == 1


def test_the_sdk_retries_a_dropped_connection_once_only_one_object(stand_in: StandIn) -> None:
    stand_in.ask("/faults", kind="drop", when="after", method="POST")
    client = stand_in.client(retries=2)
    assert create(client).name == "A"
    assert count(client) == 1


def test_a_connection_dropped_before_the_commit(stand_in: StandIn, client: stripe.StripeClient) -> None:
    stand_in.ask("/faults", kind="drop", when="before", method="POST")
    with pytest.raises(stripe.APIConnectionError):
        create(client)
    assert count(client) == 0


def test_too_many_requests_is_never_executed(stand_in: StandIn) -> None:
    stand_in.ask("/faults", kind="rate_limit", method="POST", times=2)
    client = stand_in.client(retries=2)
    with pytest.raises(stripe.RateLimitError):
        create(client)
    with pytest.raises(stripe.RateLimitError):
        create(client)
    assert count(client) == 0
    assert create(client).name == "A"


def test_faults_are_counted_skipped_listed_and_cleared(
    stand_in: StandIn, client: stripe.StripeClient
) -> None:
    stand_in.ask("/faults", kind="error", method="GET", path="/v1/customers*", skip=1)
    assert count(client) == 0
    with pytest.raises(stripe.APIError):
        count(client)
    assert count(client) == 0
    stand_in.ask("/faults", kind="error", times=100)
    assert len(stand_in.look("/faults")) == 1
    stand_in.control.delete("/_sandbox/faults")
    assert count(client) == 0
    assert stand_in.control.post("/_sandbox/faults", json={"kind": "fire"}).status_code == 400
