"""Where a process kills itself: by name, at the n-th time it comes there."""

import itertools
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
    """``target``: ``module:attribute`` of an async function; ``most``: the latest time that is worth it.

    ``of_plans``: it is a place that plans come by, not purchases.
    """

    name: str
    target: str
    after: bool
    most: int = 1
    of_plans: bool = False


OF_PURCHASES = (
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


SUBSCRIPTIONS, CHANGES = "app.gateways.stripe.subscriptions:Subscriptions", "app.db.repositories.tier_changes"


def _plan(name: str, target: str, *, after: bool, most: int = 1) -> Point:
    return Point(name, target, after, most, of_plans=True)


OF_PLANS = (
    _plan("price made, not recorded", "app.gateways.stripe.prices:Prices.create", after=True),
    _plan("change of plan written, not committed", f"{CHANGES}:add", after=True, most=3),
    _plan("start about to be asked for", "app.settlement.subscription_start:start", after=False),
    _plan("subscription made, not recorded", f"{SUBSCRIPTIONS}.create", after=True),
    _plan("subscription about to be changed", f"{SUBSCRIPTIONS}.change", after=False),
    _plan("subscription changed, not recorded", f"{SUBSCRIPTIONS}.change", after=True),
    _plan("subscription ended, not recorded", f"{SUBSCRIPTIONS}.cancel", after=True),
    _plan("change of plan settled, not committed", f"{CHANGES}:settle", after=True, most=3),
    _plan("tier derived, not committed", "app.db.repositories.subscriptions:set_tier", after=True, most=4),
    _plan(
        "invoice mirrored, not committed", "app.db.repositories.invoices:replace_lines", after=True, most=3
    ),
    _plan("receipt numbered, not committed", "app.db.repositories.receipts:next_number", after=True),
    _plan("any commit of a plan's", COMMIT, after=True, most=40),
)


def _mixed() -> tuple[Point, ...]:
    """One of plans after each one of purchases, so that few rounds have both."""
    pairs = itertools.zip_longest(OF_PURCHASES, OF_PLANS)
    return tuple(point for pair in pairs for point in pair if point is not None)


POINTS = _mixed()


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
