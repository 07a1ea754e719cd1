from collections.abc import Iterator

import pytest
import stripe

from tests.support.stand_in import Receiver, StandIn


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    running = StandIn()
    yield running
    running.stop()


@pytest.fixture
def client(stand_in: StandIn) -> stripe.StripeClient:
    return stand_in.client()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    listening = Receiver()
    yield listening
    listening.stop()


@pytest.fixture
def notified(receiver: Receiver) -> Iterator[StandIn]:
    """A stand-in whose events go to the receiver."""
    running = StandIn(webhook_url=receiver.url)
    yield running
    running.stop()
