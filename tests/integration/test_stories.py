"""Stories told by their events in every order, doubled, late, dropped, or not at all, end in the same state.

``REVGRAPH_TORTURE=full``: all orders of up to six events, and 500 of more; else a part, chosen by chance that is
the same each time.
"""

import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.services import reconciliation
from app.worker.events import Events
from tests.support.agreement import contradictions, differences, read
from tests.support.buying import Stall
from tests.support.kept_states import KeptState
from tests.support.orders import FULL, ORDERS, how_many, orders, post, post_one_by_one, take_events
from tests.support.remembered import answers_remembered
from tests.support.stories import STORIES, Life, lift_limits, live

NAMES = sorted(STORIES)
pytestmark = pytest.mark.timeout(0 if FULL else 300)


async def agreed(stall: Stall, **how: Any) -> list[str]:
    return await contradictions(stall.database, stall.shop.stand_in.look("/ledger"), **how)


def bought(rows: Any) -> list[tuple[Any, ...]]:
    """What became of the buyer's purchases, and how often it was told."""
    licences = {row.purchase_id: row.status for row in rows["licences"]}
    told = Counter(row.topic for row in rows["outbox"])
    return sorted([(row.status, licences.get(row.id)) for row in rows["purchases"]]) + sorted(told.items())


@pytest.mark.parametrize("name", NAMES)
async def test_in_every_order_after_the_story(stall: Stall, name: str, tmp_path: Path) -> None:
    """From one state again and again: acted on one by one, or several at once, in the end all is the same."""
    await live(await Life.begin(stall), STORIES[name])
    events, tried = take_events(stall.shop), 0
    before = KeptState(stall.shop, tmp_path / "kept")
    await before.keep()
    await post_one_by_one(stall.shop, events)
    rows, ledger = await read(stall.database), stall.shop.stand_in.look("/ledger")
    assert differences(rows, ledger) == []
    expected = bought(rows)
    with answers_remembered(stall.shop):
        for order in orders(len(events), seed=name):
            await before.back()
            deliver = (post, post_one_by_one)[tried % 2]
            await deliver(stall.shop, [events[place] for place in order])
            rows = await read(stall.database)
            assert (differences(rows, ledger), bought(rows)) == ([], expected), order
            tried += 1
    assert tried == how_many(len(events))


async def test_in_any_order_during_the_story_doubled_and_some_dropped(stall: Stall) -> None:
    """After each step some of what has been told so far arrives, some of it again, the rest at the end."""
    await lift_limits(stall)
    chance = random.Random(7)
    waiting: list[dict[str, Any]] = []
    for n in range(max(4, ORDERS)):
        life = await Life.begin(stall)

        async def some_arrive() -> None:
            waiting.extend(take_events(stall.shop))
            chance.shuffle(waiting)
            arriving = [waiting.pop() for _ in range(len(waiting) // 2)]
            again = [event for event in arriving if chance.random() < 0.3]
            await post(stall.shop, [*arriving, *again])
            waiting.extend(again)

        await live(life, STORIES[NAMES[n % len(NAMES)]], after_each=some_arrive)
    chance.shuffle(waiting)
    await post(stall.shop, waiting)
    assert await agreed(stall) == []


async def reconcile(stall: Stall) -> reconciliation.Report:
    async def act_on_events() -> None:
        desk = Events(stall.shop.api.deps)
        while await desk.work_once():
            pass

    return await reconciliation.run(
        stall.shop.api.deps.tools,
        since=stall.shop.api.clock.now - timedelta(days=30),
        dry_run=False,
        act_on_events=act_on_events,
    )


@pytest.mark.parametrize("days", [0, 40])
async def test_without_any_webhook_reconciliation_alone_converges(stall: Stall, days: int) -> None:
    """Also when it comes after the events are forgotten at the provider: then objects are compared."""
    await lift_limits(stall)
    for name in NAMES:
        await live(await Life.begin(stall), STORIES[name])
    assert await agreed(stall, settled=False) != []
    if days:
        stall.shop.forward(days=days)
    report = await reconcile(stall)
    assert report.failed == {}
    assert (len(report.missed) == 0) == (days > 30)
    assert report.drifted()["payment"] > 0
    await stall.shop.work()
    assert await agreed(stall) == []
    again = await reconcile(stall)
    assert (again.missed, again.drifts, again.failed) == ([], [], {})
