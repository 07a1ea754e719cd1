"""In which orders are a story's events delivered? All of up to six, else some that chance chose once and for all.

``REVGRAPH_TORTURE=full``: 500 of them; else a few. ``REVGRAPH_ORDERS``: so many.
"""

import asyncio
import itertools
import math
import os
import random
from collections.abc import Iterator, Sequence
from typing import Any

from app.settlement.events import line_of
from app.worker import Worker, events
from tests.support.payments import Shop

FULL = os.environ.get("REVGRAPH_TORTURE") == "full"
ORDERS = int(os.environ.get("REVGRAPH_ORDERS", "500" if FULL else "2"))
ALL_UP_TO = 6 if FULL else 2


def orders(number: int, *, seed: str) -> Iterator[Sequence[int]]:
    """Every order of so many events, or so many chosen ones."""
    if number <= ALL_UP_TO:
        yield from itertools.permutations(range(number))
        return
    chance = random.Random(seed)
    for _ in range(how_many(number)):
        yield chance.sample(range(number), number)


def how_many(number: int) -> int:
    """Orders of so many events."""
    return math.factorial(number) if number <= ALL_UP_TO else min(ORDERS, math.factorial(number))


def take_events(shop: Shop) -> list[dict[str, Any]]:
    """The new ones that somebody acts on; the others have no say in what follows."""
    new = shop.events()
    shop._delivered |= {event["id"] for event in new}
    return [event for event in new if line_of(event["type"]) is not None]


async def post(shop: Shop, told: Sequence[dict[str, Any]]) -> None:
    """They arrive in this order; the worker acts on several at once, as it does in life."""
    answers = await asyncio.gather(*map(shop.post, told))
    assert {answer.status_code for answer in answers} <= {200}
    await shop.work()


async def post_one_by_one(shop: Shop, told: Sequence[dict[str, Any]]) -> None:
    """Each is acted on before the next one arrives."""
    desk = events.Events(shop.api.deps)
    for event in told:
        assert (await shop.post(event)).status_code == 200
        while await desk.work_once():
            pass
    await Worker(shop.api.deps, chores={}).work_once()
    await shop.work()
