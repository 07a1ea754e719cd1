"""Events are acted on by one worker at a time, marked with their effect, and never lost."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from app import metrics
from app.db.database import Database
from app.db.models import WebhookEvent
from app.domain.outbox import LEASE
from app.domain.settlement import Kind
from app.domain.webhooks import MAX_ATTEMPTS, Event
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
        "data": {"object": {"id": f"pi_{name}", "object": "payment_intent", **obj}},
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


async def test_a_kind_that_nobody_follows_yet_is_kept_for_later(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "FOLLOWINGS", {})
    await receive(shop, event())
    await shop.work()
    (row,) = await kept(shop.api.deps.database)
    assert row.status == "failed"


async def test_the_mark_is_written_with_the_effect_or_not_at_all(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The effect: a lease is written for all to see. It is there with the mark, and neither without."""

    async def fetch(_: object, object_id: str) -> dict[str, str]:
        return {"id": object_id}

    async def apply(connection: AsyncConnection, *_: object) -> None:
        await connection.exec_driver_sql("UPDATE plan_effects SET number = number + 1")

    async def tell(*_: object) -> None:
        raise RuntimeError("the last statement fails")

    database = shop.api.deps.database
    async with database.transaction() as connection:
        await connection.exec_driver_sql("CREATE TABLE plan_effects (number INTEGER)")
        await connection.exec_driver_sql("INSERT INTO plan_effects VALUES (0)")
    follow(monkeypatch, fetch, apply)
    line = "payment_intent.succeeded"
    monkeypatch.setattr(events, "HANDLINGS", {line: events.Handling(events.the_payment, tell)})
    await receive(shop, event())
    await shop.work()
    assert [row.status for row in await kept(database)] == ["failed"]
    assert await _number(database) == 0
    monkeypatch.setattr(events, "HANDLINGS", {line: events.Handling(events.the_payment)})
    shop.forward(seconds=2)
    assert await shop.work() == []
    assert [row.status for row in await kept(database)] == ["processed"]
    assert await _number(database) == 1


async def _number(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.exec_driver_sql("SELECT number FROM plan_effects")).scalar_one())


async def test_what_an_event_tells_beside_its_object_is_told_once(
    shop: Shop, looked_up: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []

    async def tell(_: AsyncConnection, event: Event, now: datetime) -> None:
        told.append((event.id, now))

    line = "payment_intent.succeeded"
    monkeypatch.setattr(events, "HANDLINGS", {line: events.Handling(events.the_payment, tell)})
    await receive(shop, event(), event(), event("2"))
    assert await shop.work() == []
    assert sorted(told) == [("evt_1", shop.api.clock.now), ("evt_2", shop.api.clock.now)]


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
