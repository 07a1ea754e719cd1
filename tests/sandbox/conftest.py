from collections.abc import Iterator

import pytest
import stripe

from tests.support.stand_in import NEW_YEAR, Receiver, StandIn


@pytest.fixture(scope="session")
def running() -> Iterator[StandIn]:
    running = StandIn()
    yield running
    running.stop()


@pytest.fixture
def stand_in(running: StandIn) -> StandIn:
    """As after a start, at New Year 2026."""
    running.ask("/reset", now=NEW_YEAR)
    return running


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
