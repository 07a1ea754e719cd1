"""Events about the same object wait for one look at it: it is as all of them left it."""

from typing import Any

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from app import metrics
from app.db.models import WebhookEvent
from app.db.repositories import webhook_events
from app.domain.settlement import Kind
from app.domain.webhooks import MAX_ATTEMPTS
from app.settlement import events, syncing
from app.settlement.syncing import Following
from app.worker.claims import BATCH
from app.worker.events import Events
from tests.support.buying import Stall
from tests.support.payments import Shop


async def receive(shop: Shop, name: str, about: str, *, kind: str = "payment_intent.succeeded") -> None:
    event = {
        "id": f"evt_{name}",
        "object": "event",
        "type": kind,
        "created": 1_795_000_000,
        "livemode": False,
        "data": {"object": {"id": about, "object": "payment_intent"}},
    }
    assert (await shop.post(event)).status_code == 200


async def kept(shop: Shop) -> dict[str, tuple[str, int, str | None]]:
    """(status, attempts, error) by the event's name."""
    columns = (
        WebhookEvent.stripe_event_id,
        WebhookEvent.status,
        WebhookEvent.attempts,
        WebhookEvent.last_error,
    )
    async with shop.api.deps.database.read() as connection:
        rows = (await connection.execute(select(*columns))).all()
    return {row[0].removeprefix("evt_"): (row[1], row[2], row[3]) for row in rows}


async def change(shop: Shop, name: str, **values: Any) -> None:
    async with shop.api.deps.database.transaction() as connection:
        named = WebhookEvent.stripe_event_id == f"evt_{name}"
        await connection.execute(update(WebhookEvent).where(named).values(**values))


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of payments in the order of fetching; ``pi_bad`` cannot be."""
    seen: list[str] = []

    async def fetch(_: object, object_id: str) -> dict[str, str]:
        seen.append(object_id)
        if object_id == "pi_bad":
            raise RuntimeError("no luck")
        return {"id": object_id}

    async def apply(*_: object) -> None:
        return

    monkeypatch.setattr(syncing, "FOLLOWINGS", {Kind.PAYMENT: Following(fetch, apply)})
    return seen


async def test_one_look_settles_all_that_wait(shop: Shop, looked_up: list[str]) -> None:
    labels = {"type": "payment_intent.succeeded", "outcome": "processed"}
    before = metrics.REGISTRY.get_sample_value("revgraph_webhook_events_total", labels) or 0
    for n in range(BATCH - 1):
        await receive(shop, f"{n}", "pi_1")
    await receive(shop, "other", "pi_2")
    assert await shop.work() == []
    assert sorted(looked_up) == ["pi_1", "pi_2"]
    assert set((await kept(shop)).values()) == {("processed", 1, None)}
    assert metrics.REGISTRY.get_sample_value("revgraph_webhook_events_total", labels) == before + BATCH


async def test_when_the_look_fails_each_is_put_off_by_its_own_attempts(
    shop: Shop, looked_up: list[str]
) -> None:
    await receive(shop, "new", "pi_bad")
    await receive(shop, "old", "pi_bad")
    await receive(shop, "last", "pi_bad")
    await receive(shop, "good", "pi_1")
    await change(shop, "old", attempts=8)
    await change(shop, "last", attempts=MAX_ATTEMPTS - 1)
    now = shop.api.clock()
    with capture_logs() as logs:
        await Events(shop.api.deps).work_once()
    error = "RuntimeError: no luck"
    assert await kept(shop) == {
        "new": ("failed", 1, error),
        "old": ("failed", 9, error),
        "last": ("dead", MAX_ATTEMPTS, error),
        "good": ("processed", 1, None),
    }
    assert sorted(looked_up) == ["pi_1", "pi_bad"]
    async with shop.api.deps.database.read() as connection:
        due = select(WebhookEvent.stripe_event_id, WebhookEvent.available_at)
        waits = {row[0]: (row[1] - now).total_seconds() for row in (await connection.execute(due)).all()}
    assert 1 <= waits["evt_new"] <= 1.5
    assert 256 <= waits["evt_old"] <= 384
    told = {(line["event"], line["event_id"]) for line in logs if line["event"].startswith("webhook_event_")}
    assert told == {
        ("webhook_event_failed", "evt_new"),
        ("webhook_event_failed", "evt_old"),
        ("webhook_event_dead", "evt_last"),
    }


async def test_what_cannot_be_acted_on_stands_alone(shop: Shop, looked_up: list[str]) -> None:
    for name in ("exhausted", "unreadable", "good"):
        await receive(shop, name, "pi_1")
    await change(shop, "exhausted", attempts=MAX_ATTEMPTS)
    await change(shop, "unreadable", payload={})
    await Events(shop.api.deps).work_once()
    assert {name: status for name, (status, _, _) in (await kept(shop)).items()} == {
        "exhausted": "dead",
        "unreadable": "failed",
        "good": "processed",
    }
    assert looked_up == ["pi_1"]


async def test_one_whose_objects_cannot_be_told_stands_alone(
    shop: Shop, looked_up: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr(events, "HANDLINGS", {**events.HANDLINGS, "payment_intent.processing": fail})
    await receive(shop, "bad", "pi_1", kind="payment_intent.processing")
    await receive(shop, "good", "pi_1")
    await Events(shop.api.deps).work_once()
    assert await kept(shop) == {
        "bad": ("failed", 1, "RuntimeError: no luck"),
        "good": ("processed", 1, None),
    }


async def test_they_are_marked_with_the_effect_or_none_of_them_is(
    stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = webhook_events.settle

    async def settle_and_fail(*given: Any, **more: Any) -> None:
        await settle(*given, **more)
        raise RuntimeError("the last statement fails")

    await stall.buy()
    stall.shop.act(await stall.intent_id(), "pay")
    with monkeypatch.context() as broken:
        broken.setattr(webhook_events, "settle", settle_and_fail)
        types = await stall.shop.deliver(times=2)
        await stall.shop.work()
    assert {status for status, _, _ in (await kept(stall.shop)).values()} == {"failed"}
    assert (await stall.states())[:3] == ("pending", [], "requires_payment_method")
    stall.shop.forward(seconds=2)
    assert await stall.shop.work() == []
    assert len(await kept(stall.shop)) == len(types) / 2
    assert {status for status, _, _ in (await kept(stall.shop)).values()} <= {"processed", "ignored"}
    assert (await stall.states())[:3] == ("completed", ["active"], "succeeded")
