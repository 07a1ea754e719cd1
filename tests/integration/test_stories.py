"""Stories told by their events in every order, doubled, late, dropped, or not at all, end in the same state.

``REVGRAPH_TORTURE=full``: all orders of up to six events, and 500 of more; else a part, chosen by chance that is
the same each time.
"""

import itertools
import math
import os
import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from app.services import reconciliation
from app.settlement.events import line_of
from app.worker.events import Events
from tests.support.agreement import contradictions
from tests.support.buying import Stall
from tests.support.stories import STORIES, Life, lift_limits, live

FULL = os.environ.get("REVGRAPH_TORTURE") == "full"
ORDERS = 500 if FULL else 4
ALL_UP_TO = 6 if FULL else 2
NAMES = sorted(STORIES)


async def agreed(stall: Stall, **how: Any) -> list[str]:
    return await contradictions(stall.database, stall.shop.stand_in.look("/ledger"), **how)


def orders(number: int, *, seed: str) -> Iterator[Sequence[int]]:
    """Every order of so many events, or so many chosen ones."""
    if number <= ALL_UP_TO:
        yield from itertools.permutations(range(number))
        return
    chance = random.Random(seed)
    for _ in range(min(ORDERS, math.factorial(number))):
        yield chance.sample(range(number), number)


async def post(stall: Stall, events: Sequence[dict[str, Any]]) -> None:
    for event in events:
        assert (await stall.shop.post(event)).status_code == 200
    await stall.shop.work()


def take_events(stall: Stall) -> list[dict[str, Any]]:
    """The new ones that somebody acts on; the others have no say in what follows."""
    events = stall.shop.events()
    stall.shop._delivered |= {event["id"] for event in events}
    return [event for event in events if line_of(event["type"]) is not None]


@pytest.mark.parametrize("name", NAMES)
async def test_in_every_order_after_the_story(stall: Stall, name: str) -> None:
    await lift_limits(stall)
    await live(await Life.begin(stall), STORIES[name])
    await post(stall, take_events(stall))
    assert await agreed(stall) == []
    await live(await Life.begin(stall), STORIES[name])  # by now the buyer is a customer
    events, tried = take_events(stall), 0
    await post(stall, events)
    for order in orders(len(events), seed=name):
        await live(await Life.begin(stall), STORIES[name])
        told = take_events(stall)
        assert [event["type"] for event in told] == [event["type"] for event in events]
        await post(stall, [told[place] for place in order])
        tried += 1
    assert await agreed(stall) == []
    assert tried >= min(ORDERS, math.factorial(len(events)))


async def test_in_any_order_during_the_story_doubled_and_some_dropped(stall: Stall) -> None:
    """After each step some of what has been told so far arrives, some of it again, some of it never."""
    await lift_limits(stall)
    chance = random.Random(7)
    waiting: list[dict[str, Any]] = []
    for n in range(ORDERS):
        life = await Life.begin(stall)

        async def some_arrive() -> None:
            waiting.extend(take_events(stall))
            arriving = [event for event in waiting if chance.random() < 0.5]
            chance.shuffle(arriving)
            await post(stall, [*arriving, *(event for event in arriving if chance.random() < 0.3)])

        await live(life, STORIES[NAMES[n % len(NAMES)]], after_each=some_arrive)
    chance.shuffle(waiting)
    await post(stall, waiting)
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
    assert (report.drifted()["payment"] > 0) == (days > 30)
    await stall.shop.work()
    assert await agreed(stall) == []
    again = await reconcile(stall)
    assert (again.missed, again.drifts, again.failed) == ([], [], {})
