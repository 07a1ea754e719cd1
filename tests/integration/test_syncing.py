"""Bringing one object up to date: one at a time, from what the provider says now, or not at all."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.db.models import ObjectLease
from app.domain.outbox import LEASE
from app.domain.settlement import Kind, Target
from app.ports.provider import OutcomeUnknown
from app.settlement import leases
from app.settlement.syncing import sync
from tests.support.payments import Shop

UNKNOWN = Target(Kind.PAYMENT, "pi_nobody_knows")


async def _leases(shop: Shop) -> int:
    async with shop.api.deps.database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(ObjectLease))).scalar_one())


async def test_an_object_that_is_gone_is_finished_with(shop: Shop) -> None:
    finished = []

    async def finish(_: object) -> None:
        finished.append(True)

    await sync(shop.api.deps.tools, UNKNOWN, finish=finish)
    assert finished == [True]
    assert await _leases(shop) == 0


async def test_without_an_answer_nothing_is_written_and_the_lease_is_free(shop: Shop) -> None:
    finished = []

    async def finish(_: object) -> None:
        finished.append(True)

    shop.stand_in.ask("/faults", kind="error", status=500, path="/v1/payment_intents*", times=10)
    with pytest.raises(OutcomeUnknown):
        await sync(shop.api.deps.tools, UNKNOWN, finish=finish)
    assert finished == []
    assert await _leases(shop) == 0


async def test_a_lease_is_one_holders_until_it_ends(shop: Shop) -> None:
    deps = shop.api.deps
    first = await leases.take(deps.database, "pi_1", clock=deps.clock)
    waiting = asyncio.create_task(leases.take(deps.database, "pi_1", clock=deps.clock))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    shop.api.clock.now += LEASE + timedelta(seconds=1)
    second = await waiting
    async with deps.database.transaction() as connection:
        with pytest.raises(leases.Lost):
            await leases.prove(connection, first)
        await leases.prove(connection, second)
    assert await _leases(shop) == 0
