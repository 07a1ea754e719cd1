"""Where a process kills itself: by name, at the n-th time it comes there."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

COMMIT = "app.db.database:Database.transaction"


@dataclass(frozen=True)
class Point:
    """``target``: ``module:attribute`` of an async function; ``most``: the latest time that is worth it."""

    name: str
    target: str
    after: bool
    most: int = 1


POINTS = (
    Point("customer made, not recorded", "app.gateways.stripe.customers:Customers.create", after=True),
    Point("event inserted, not committed", "app.db.repositories.webhook_events:add", after=True, most=3),
    Point("event committed, not answered", "app.services.event_intake:Storing._write", after=True, most=3),
    Point("event claimed", "app.worker.events:Events.act_on", after=False, most=3),
    Point("lease taken, not fetched", "app.settlement.leases:take", after=True, most=4),
    Point("fetched, lease proved", "app.settlement.leases:prove", after=True, most=4),
    Point(
        "effect and mark written, not committed",
        "app.db.repositories.webhook_events:settle",
        after=True,
        most=3,
    ),
    Point("event acted on", "app.settlement.inbox:act_on", after=True, most=3),
    Point("purchase granted, not committed", "app.db.repositories.purchases:give_receipt", after=True),
    Point(
        "intent about to be asked for",
        "app.gateways.stripe.payment_intents:PaymentIntents.create",
        after=False,
    ),
    Point(
        "intent made, not recorded", "app.gateways.stripe.payment_intents:PaymentIntents.create", after=True
    ),
    Point("intent recorded, not committed", "app.db.repositories.payments:record_intent", after=True),
    Point("refund about to be asked for", "app.gateways.stripe.refunds:Refunds.create", after=False),
    Point("refund made, not recorded", "app.gateways.stripe.refunds:Refunds.create", after=True),
    Point("fact claimed", "app.worker.facts:Facts.act_on", after=False, most=2),
    Point("fact acted on, not marked", "app.db.repositories.outbox:done", after=False, most=2),
    Point("any commit, before", COMMIT, after=False, most=25),
    Point("any commit, after", COMMIT, after=True, most=25),
)


def arm(point: Point, *, time: int) -> None:
    module, _, path = point.target.partition(":")
    *parents, name = path.split(".")
    owner: Any = import_module(module)
    for parent in parents:
        owner = getattr(owner, parent)
    armed = _transaction if point.target == COMMIT else _function
    setattr(owner, name, armed(getattr(owner, name), point, _Count(time)))


class _Count:
    def __init__(self, left: int) -> None:
        self.left = left

    def reached(self) -> bool:
        self.left -= 1
        return self.left == 0


def _function(original: Any, point: Point, count: _Count) -> Any:
    async def armed(*given: Any, **named: Any) -> Any:
        dies = count.reached()
        if dies and not point.after:
            _die()
        found = await original(*given, **named)
        if dies:
            _die()
        return found

    return armed


def _transaction(original: Any, point: Point, count: _Count) -> Any:
    @asynccontextmanager
    async def armed(database: Any) -> AsyncIterator[Any]:
        async with original(database) as connection:
            yield connection
            dies = count.reached()
            if dies and not point.after:
                _die()
        if dies:
            _die()

    return armed


def _die() -> NoReturn:
    """As if the power went: nothing is closed, flushed or told."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError
