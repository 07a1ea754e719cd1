"""One reconciliation is at work at a time, and a killed one hinders the next for no longer than its lease."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete, select

from app.db.ids import new_id
from app.db.models import AuditEntry, ObjectLease
from app.domain.outbox import LEASE, Topic
from app.jobs import HANDLERS, Fact
from app.services import reconciliation
from app.services.reconciliation import AlreadyRunning, Interrupted, Report
from app.settlement import leases
from app.settlement.tools import Tools
from tests.support.payments import Shop


async def run(tools: Tools, *, dry_run: bool = False, **given: Any) -> Report:
    since = tools.clock() - timedelta(days=1)
    return await reconciliation.run(tools, since=since, dry_run=dry_run, **given)


@asynccontextmanager
async def one_at_work(tools: Tools) -> AsyncIterator[SimpleNamespace]:
    """A reconciliation that has begun and goes on only when it is told to."""
    begun, ends = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        begun.set()
        await ends.wait()

    running = asyncio.create_task(run(tools, act_on_events=hold))
    try:
        await asyncio.wait_for(begun.wait(), 20)
        yield SimpleNamespace(task=running, end=ends.set)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def lease_of(shop: Shop) -> datetime | None:
    async with shop.api.deps.database.read() as connection:
        found: datetime | None = (
            await connection.execute(select(ObjectLease.expires_at))
        ).scalar_one_or_none()
        return found


async def reports(shop: Shop) -> int:
    async with shop.api.deps.database.read() as connection:
        return len((await connection.execute(select(AuditEntry.id))).all())


@pytest.mark.parametrize("dry_run", [False, True])
async def test_the_second_is_told_that_one_is_at_work(shop: Shop, dry_run: bool) -> None:
    tools = shop.api.deps.tools
    async with one_at_work(tools) as first:
        with pytest.raises(AlreadyRunning):
            await run(tools, dry_run=dry_run)
        first.end()
        await first.task
    assert await reports(shop) == 1
    assert await lease_of(shop) is None
    await run(tools, dry_run=dry_run)


async def test_what_a_killed_one_held_is_free_after_its_lease(shop: Shop) -> None:
    tools = shop.api.deps.tools
    await leases.take(tools.database, reconciliation.LEASE_NAME, clock=tools.clock)
    shop.forward(seconds=LEASE.total_seconds() - 1)
    with pytest.raises(AlreadyRunning):
        await run(tools)
    shop.forward(seconds=1)
    await run(tools)
    assert await lease_of(shop) is None


async def test_the_lease_is_renewed_while_it_works(shop: Shop) -> None:
    tools = replace(shop.api.deps.tools, lease=timedelta(seconds=3))
    async with one_at_work(tools) as first:
        shop.forward(hours=1)
        async with asyncio.timeout(20):
            while await lease_of(shop) != tools.clock() + tools.lease:  # noqa: ASYNC110 - waits for what another does, which sets no event
                await asyncio.sleep(0.02)
        with pytest.raises(AlreadyRunning):
            await run(tools)
        first.end()
        await first.task


async def test_who_cannot_renew_it_stops(shop: Shop) -> None:
    tools = replace(shop.api.deps.tools, lease=timedelta(seconds=2))
    async with one_at_work(tools) as first:
        async with tools.database.transaction() as connection:
            await connection.execute(delete(ObjectLease))
        with pytest.raises(Interrupted):
            await asyncio.wait_for(first.task, 20)
    assert await reports(shop) == 0


async def test_the_daily_one_waits_for_the_other(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "PAUSE_SECONDS", 0.02)
    deps = shop.api.deps
    fact = Fact(new_id(), Topic.RECONCILE, MappingProxyType({}), 1, deps.clock())
    async with one_at_work(deps.tools) as first:
        daily = asyncio.create_task(HANDLERS[Topic.RECONCILE](deps, fact))
        await asyncio.sleep(0.1)
        assert (daily.done(), await reports(shop)) == (False, 0)
        first.end()
        await first.task
        await asyncio.wait_for(daily, 20)
    assert await reports(shop) == 2
