"""A shop that takes payments: the application with a stand-in for the payment provider, on one clock."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import stripe
from pydantic import SecretStr

from app.bootstrap import Settings
from app.gateways.stripe.gateway import RETRIES
from tests.support.clients import Api, Clock, served
from tests.support.stand_in import SECRET, StandIn


@dataclass
class Shop:
    """``forward`` moves the application's clock and the stand-in's together."""

    api: Api
    stand_in: StandIn

    def forward(self, **by: float) -> None:
        self.api.clock.forward(**by)
        self.stand_in.ask("/clock", now=int(self.api.clock.now.timestamp()), frozen=True)

    def act(self, object_id: str, action: str, **given: Any) -> Any:
        """What the payer does on the provider's page: pay, decline, authenticate, …"""
        return self.stand_in.ask(f"/act/{object_id}", action=action, **given)

    def lose(self, path: str, *, when: str, method: str = "POST") -> None:
        """One call gets no answer, also none to what the SDK repeats: executed once (after) or not (before)."""
        self.stand_in.ask("/faults", kind="drop", when=when, method=method, path=path, times=1 + RETRIES)


@pytest.fixture
def paying_settings(settings: Settings, stand_in: StandIn) -> Settings:
    return settings.model_copy(
        update={
            "stripe_api_key": SecretStr("sk_test_123"),
            "stripe_api_base": stand_in.address,
            "stripe_webhook_secret": [SecretStr(SECRET)],
        }
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stand_in(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Stands at the application's moment; what the SDK repeats, it repeats soon."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    running = StandIn(now=int(clock.now.timestamp()))
    yield running
    running.stop()


@pytest.fixture
async def shop(paying_settings: Settings, stand_in: StandIn, clock: Clock) -> AsyncIterator[Shop]:
    """On both databases, without background work: tests run that by hand."""
    async with served(paying_settings, clock) as api:
        yield Shop(api, stand_in)
