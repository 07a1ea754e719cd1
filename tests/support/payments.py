"""A shop that takes payments: the application with a stand-in for the payment provider, on one clock."""

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import orjson
import pytest
import stripe
from httpx import Response
from pydantic import SecretStr
from sqlalchemy import select

from app.bootstrap import Settings
from app.db.models import WebhookEvent
from app.domain.payments import WebhookStatus
from app.gateways.stripe.gateway import RETRIES
from app.worker import Worker
from tests.support.clients import Api, Clock, served
from tests.support.stand_in import SECRET, StandIn


@dataclass
class Shop:
    """``forward`` moves the application's clock and the stand-in's together."""

    api: Api
    stand_in: StandIn
    _delivered: set[str] = field(default_factory=set)

    def forward(self, **by: float) -> None:
        self.api.clock.forward(**by)
        self.stand_in.ask("/clock", now=int(self.api.clock.now.timestamp()), frozen=True)

    def act(self, object_id: str, action: str, **given: Any) -> Any:
        """What the payer does on the provider's page: pay, decline, authenticate, …"""
        return self.stand_in.ask(f"/act/{object_id}", action=action, **given)

    def lose(self, path: str, *, when: str, method: str = "POST") -> None:
        """One call gets no answer, also none to what the SDK repeats: executed once (after) or not (before)."""
        self.stand_in.ask("/faults", kind="drop", when=when, method=method, path=path, times=1 + RETRIES)

    def events(self) -> list[dict[str, Any]]:
        """What happened at the stand-in since the last delivery, the oldest first."""
        return [
            event for event in self.stand_in.sandbox.world.all("event") if event["id"] not in self._delivered
        ]

    async def deliver(
        self,
        *,
        permutation: Sequence[int] | None = None,
        seed: int | None = None,
        times: int = 1,
        drop: Sequence[str] = (),
    ) -> list[str]:
        """Posts the new events to the webhook, each ``times`` times; the types of those that were sent.

        In the order of ``permutation`` (places among the new ones), or shuffled by ``seed``. Types that fit
        a pattern of ``drop`` (``["*"]``: all) are lost for good.
        """
        events = self.events()
        self._delivered |= {event["id"] for event in events}
        events = [event for event in events if not any(fnmatchcase(event["type"], each) for each in drop)]
        if permutation is not None:
            events = [events[place] for place in permutation]
        events = events * times
        if seed is not None:
            random.Random(seed).shuffle(events)
        for event in events:
            answer = await self.post(event)
            assert answer.status_code == 200, answer.text
        return [event["type"] for event in events]

    async def post(self, event: dict[str, Any]) -> Response:
        """One event, signed."""
        body = orjson.dumps(event)
        moment = int(self.api.clock.now.timestamp())
        signature = stripe.WebhookSignature.generate_signature_header(body.decode(), SECRET, moment)
        return await self.api.http.post(
            "/webhooks/stripe", content=body, headers={"stripe-signature": signature}
        )

    async def work(self) -> list[str]:
        """Background work until nothing is due; the types and errors of events that could not be acted on."""
        worker = Worker(self.api.deps, chores={})
        while await worker.work_once():
            pass
        failed = select(WebhookEvent.event_type, WebhookEvent.last_error).where(
            WebhookEvent.status.in_([WebhookStatus.FAILED, WebhookStatus.DEAD])
        )
        async with self.api.deps.database.read() as connection:
            return [f"{row.event_type}: {row.last_error}" for row in (await connection.execute(failed)).all()]


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
    running.leave()


@pytest.fixture
async def shop(paying_settings: Settings, stand_in: StandIn, clock: Clock) -> AsyncIterator[Shop]:
    """On both databases, without background work: tests run that by hand."""
    async with served(paying_settings, clock) as api:
        yield Shop(api, stand_in)
