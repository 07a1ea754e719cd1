"""Events are acted on by one worker at a time, marked with their effect, and never lost."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from app import metrics
from app.db.database import Database
from app.db.models import WebhookEvent
from app.db.repositories import webhook_events
from app.domain.outbox import LEASE
from app.domain.payments import WebhookStatus
from app.domain.settlement import Kind
from app.domain.webhooks import MAX_ATTEMPTS
from app.settlement import events, syncing
from app.settlement.syncing import Following
from app.worker import Worker
from tests.support.payments import Shop


def event(name: str = "1", *, kind: str = "payment_intent.succeeded", **obj: Any) -> dict[str, Any]:
    return {
        "id": f"evt_{name}",
        "object": "event",
        "type": kind,
        "created": 1_795_000_000,
        "livemode": False,
        "api_version": None,
        "data": {"object": {"id": f"pi_{name}", "object": "payment_intent"} | obj},
    }


async def receive(shop: Shop, *given: dict[str, Any]) -> None:
    for each in given:
        assert (await shop.post(each)).status_code == 200


async def kept(database: Database) -> list[Row[Any]]:
    columns: tuple[Any, ...] = tuple(WebhookEvent.__table__.columns)
    async with database.read() as connection:
        return list((await connection.execute(select(*columns).order_by(WebhookEvent.id))).all())


def count(event_type: str, outcome: str) -> float:
    labels = {"type": event_type, "outcome": outcome}
    return metrics.REGISTRY.get_sample_value("revgraph_webhook_events_total", labels) or 0.0


def worker_of(shop: Shop, **options: Any) -> Worker:
    return Worker(shop.api.deps, **{"chores": {}, "poll_seconds": 0.01, **options})


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of payments in the order of fetching; each is found, and applied to nothing."""
    seen: list[str] = []

    async def fetch(_: object, object_id: str) -> dict[str, str]:
        seen.append(object_id)
        return {"id": object_id}

    async def apply(*_: object) -> None:
        return

    follow(monkeypatch, fetch, apply)
    return seen


def follow(monkeypatch: pytest.MonkeyPatch, fetch: Any, apply: Any) -> None:
    monkeypatch.setattr(syncing, "FOLLOWINGS", {Kind.PAYMENT: Following(fetch, apply)})


async def test_an_event_is_acted_on_once(shop: Shop, looked_up: list[str]) -> None:
    before = count("payment_intent.succeeded", "processed")
    await receive(shop, event(), event())
    worker = worker_of(shop)
    assert [await worker.work_once() for _ in range(2)] == [1, 0]
    assert looked_up == ["pi_1"]
    (row,) = await kept(shop.api.deps.database)
    assert (row.status, row.attempts, row.processed_at) == ("processed", 1, shop.api.clock.now)
    assert count("payment_intent.succeeded", "processed") == before + 1


@pytest.mark.parametrize("kind", ["charge.succeeded", "refund.created"])
async def test_what_there_is_nothing_to_do_about_is_kept_and_counted(
    shop: Shop, looked_up: list[str], kind: str
) -> None:
    """No line in the table, or an object that belongs to nothing of ours."""
    line = events.line_of(kind) or "other"
    before = count(line, "ignored")
    await receive(shop, event(kind=kind))
    assert await shop.work() == []
    (row,) = await kept(shop.api.deps.database)
    assert (row.status, row.attempts, row.event_type) == ("ignored", 1, kind)
    assert looked_up == []
    assert count(line, "ignored") == before + 1


async def test_a_failure_is_tried_again_later_and_holds_up_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = {"pi_bad"}

    async def fetch(_: object, object_id: str) -> dict[str, str]:
        if object_id in failing:
            raise RuntimeError("no luck")
        return {"id": object_id}

    async def apply(*_: object) -> None:
        return

    follow(monkeypatch, fetch, apply)
    await receive(shop, event("bad"), event("good"))
    before = count("payment_intent.succeeded", "retried")
    with capture_logs() as logs:
        assert await shop.work() == ["payment_intent.succeeded: RuntimeError: no luck"]
    bad, good = await kept(shop.api.deps.database)
    assert (bad.status, bad.attempts, good.status) == ("failed", 1, "processed")
    assert timedelta(seconds=1) <= bad.available_at - shop.api.clock.now <= timedelta(seconds=1.5)
    assert [(line["event"], line["event_id"]) for line in logs if line["log_level"] == "warning"][-1:] == [
        ("webhook_event_failed", "evt_bad")
    ]
    assert count("payment_intent.succeeded", "retried") == before + 1
    failing.clear()
    shop.forward(seconds=1.5)
    assert await shop.work() == []
    assert [(row.status, row.attempts, row.last_error) for row in await kept(shop.api.deps.database)] == [
        ("processed", 2, None),
        ("processed", 1, None),
    ]


async def test_one_that_cannot_be_read_holds_up_nothing(shop: Shop, looked_up: list[str]) -> None:
    await receive(shop, event("bad"), event("good"))
    bad = WebhookEvent.stripe_event_id == "evt_bad"
    async with shop.api.deps.database.transaction() as connection:
        await connection.execute(update(WebhookEvent).where(bad).values(payload={}))
    assert await shop.work() == [
        "payment_intent.succeeded: MalformedEvent: This is not an event with its object."
    ]
    assert looked_up == ["pi_good"]


async def test_after_the_last_attempt_the_event_is_dead(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = []

    async def fetch(*_: object) -> None:
        attempts.append(True)
        raise RuntimeError("no luck")

    follow(monkeypatch, fetch, fetch)
    await receive(shop, event())
    before, worker = count("payment_intent.succeeded", "dead"), worker_of(shop)
    with capture_logs() as logs:
        for _ in range(MAX_ATTEMPTS + 3):
            await worker.work_once()
            shop.api.clock.forward(hours=2)
    assert len(attempts) == MAX_ATTEMPTS
    (row,) = await kept(shop.api.deps.database)
    assert (row.status, row.attempts, row.last_error) == ("dead", MAX_ATTEMPTS, "RuntimeError: no luck")
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["webhook_event_dead"]
    assert count("payment_intent.succeeded", "dead") == before + 1


async def test_an_event_that_kills_its_workers_is_given_up_untouched(
    shop: Shop, looked_up: list[str]
) -> None:
    await receive(shop, event())
    async with shop.api.deps.database.transaction() as connection:
        await connection.execute(update(WebhookEvent).values(attempts=MAX_ATTEMPTS))
    await shop.work()
    assert looked_up == []
    (row,) = await kept(shop.api.deps.database)
    assert (row.status, row.attempts) == ("dead", MAX_ATTEMPTS + 1)
    assert row.last_error == "RuntimeError: Every attempt ended with its worker: nothing more is tried."


async def test_a_kind_that_nobody_follows_yet_is_kept_for_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "FOLLOWINGS", {})
    await receive(shop, event())
    await shop.work()
    (row,) = await kept(shop.api.deps.database)
    assert row.status == "failed"


async def test_the_effect_is_written_with_the_mark_or_not_at_all(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetch(_: object, object_id: str) -> dict[str, str]:
        return {"id": object_id}

    async def apply(connection: AsyncConnection, *_: object) -> None:
        await connection.exec_driver_sql("UPDATE effects SET number = number + 1")

    async def fail(*_: object, **__: object) -> bool:
        raise RuntimeError("the last statement fails")

    database = shop.api.deps.database
    async with database.transaction() as connection:
        await connection.exec_driver_sql("CREATE TABLE effects (number INTEGER)")
        await connection.exec_driver_sql("INSERT INTO effects VALUES (0)")
    follow(monkeypatch, fetch, apply)
    await receive(shop, event())
    with monkeypatch.context() as broken:
        broken.setattr(webhook_events, "settle", fail)
        assert await shop.work() == ["payment_intent.succeeded: RuntimeError: the last statement fails"]
    assert await _number(database) == 0
    shop.forward(seconds=2)
    assert await shop.work() == []
    assert [row.status for row in await kept(database)] == ["processed"]
    assert await _number(database) == 1


async def _number(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.exec_driver_sql("SELECT number FROM effects")).scalar_one())


async def test_an_event_is_done_when_all_its_objects_are_up_to_date(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the subscription, which the invoice refers to."""
    seen: list[tuple[str, str]] = []

    async def fetch(_: object, object_id: str) -> None:
        (row,) = await kept(shop.api.deps.database)
        seen.append((object_id, row.status))
        if len(seen) == 1:
            raise RuntimeError("no luck")

    following = Following(fetch, fetch)
    monkeypatch.setattr(syncing, "FOLLOWINGS", {Kind.SUBSCRIPTION: following, Kind.INVOICE: following})
    subscribed = {"subscription_details": {"subscription": "sub_1"}}
    await receive(shop, event(kind="invoice.paid", id="in_1", parent=subscribed))
    assert await shop.work() == ["invoice.paid: RuntimeError: no luck"]
    shop.forward(seconds=2)
    assert await shop.work() == []
    assert seen == [("sub_1", "received"), ("sub_1", "failed"), ("in_1", "failed")]
    assert [row.status for row in await kept(shop.api.deps.database)] == ["processed"]


async def test_who_has_lost_the_lease_has_no_say(shop: Shop) -> None:
    """Neither in when the event is tried again, nor in whether it was done."""
    database, now = shop.api.deps.database, shop.api.clock.now
    await receive(shop, event())
    async with database.transaction() as connection:
        (first,) = await webhook_events.claim(connection, limit=8, now=now, lease=LEASE)
        assert await webhook_events.claim(connection, limit=8, now=now, lease=LEASE) == []
        await webhook_events.claim(connection, limit=8, now=now + LEASE, lease=LEASE)
        late: dict[str, Any] = {"attempts": first.attempts}
        assert not await webhook_events.extend(connection, first.id, until=now, **late)
        assert await webhook_events.failed(connection, first.id, error="x", retry_at=now, **late) is None
    (row,) = await kept(database)
    assert (row.status, row.attempts, row.available_at) == ("received", 2, now + 2 * LEASE)
    done: dict[str, Any] = {"status": WebhookStatus.PROCESSED}
    async with database.transaction() as connection:
        assert await webhook_events.extend(connection, first.id, attempts=2, until=now + 3 * LEASE)
        await webhook_events.settle(connection, [first.id], now=now, **done)
        await webhook_events.settle(connection, [first.id], now=now + LEASE, **done)
        assert not await webhook_events.extend(connection, first.id, attempts=2, until=now)
        assert await webhook_events.failed(connection, first.id, attempts=2, error="x", retry_at=now) is None
    (row,) = await kept(database)
    assert (row.status, row.available_at, row.processed_at) == ("processed", now + 3 * LEASE, now)


async def test_metrics_tell_how_many_wait_and_since_when(
    shop: Shop, looked_up: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_events, "MAX_ATTEMPTS", 1)
    await receive(shop, event("dead", kind="customer.updated"))
    await shop.work()
    await receive(shop, event("done"))
    await shop.work()
    shop.forward(seconds=60)
    await receive(shop, event("early"))
    shop.forward(seconds=30)
    await receive(shop, event("late"))
    told = (await shop.api.http.get("/metrics")).text.splitlines()
    assert {line for line in told if line.startswith("revgraph_webhook_events_") and "{" not in line} == {
        "revgraph_webhook_events_waiting 2.0",
        "revgraph_webhook_events_oldest_seconds 30.0",
        "revgraph_webhook_events_dead 1.0",
    }


async def test_two_workers_never_act_on_the_same_event(
    shop: Shop, looked_up: list[str], open_database: Callable[[], Database]
) -> None:
    await receive(shop, *(event(str(n)) for n in range(40)))
    second = open_database()
    workers = [worker_of(shop), Worker(replace(shop.api.deps, database=second), chores={}, poll_seconds=0.01)]
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    async with asyncio.timeout(20):
        while any(row.status != "processed" for row in await kept(shop.api.deps.database)):  # noqa: ASYNC110 - waits for what others do, which sets no event
            await asyncio.sleep(0.02)
    for worker in workers:
        worker.stop()
    await asyncio.gather(*tasks)
    await second.close()
    assert sorted(looked_up) == sorted(f"pi_{n}" for n in range(40))
    assert {row.attempts for row in await kept(shop.api.deps.database)} == {1}


async def test_the_events_of_a_killed_worker_are_taken_over_after_the_lease(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def hang(*_: object) -> None:
        begun.set()
        await asyncio.sleep(3600)

    async def nothing(*_: object) -> None:
        return

    follow(monkeypatch, hang, nothing)
    await receive(shop, event())
    killed = asyncio.create_task(worker_of(shop).run())
    await asyncio.wait_for(begun.wait(), 10)
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    follow(monkeypatch, nothing, nothing)
    other = worker_of(shop)
    shop.api.clock.forward(seconds=LEASE.total_seconds() - 1)
    assert await other.work_once() == 0
    shop.api.clock.forward(seconds=1)
    assert await other.work_once() == 1
    assert [(row.status, row.attempts) for row in await kept(shop.api.deps.database)] == [("processed", 2)]
