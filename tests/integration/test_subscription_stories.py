"""Stories of plans told by their events in every order, doubled, late, dropped, or not at all, end in the same state.

``REVGRAPH_TORTURE=full``: all orders of up to six events, and 500 of more; else a part.
"""

import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap import Settings
from app.services import reconciliation
from app.worker.events import Events
from tests.support.agreement import contradictions, differences, read
from tests.support.clients import Clock, served
from tests.support.kept_states import KeptState
from tests.support.orders import FULL, ORDERS, how_many, orders, post, post_one_by_one, take_events
from tests.support.payments import Shop
from tests.support.remembered import answers_remembered
from tests.support.stand_in import StandIn
from tests.support.subscribing import PLANS
from tests.support.subscription_stories import STORIES, Plan, live

NAMES = sorted(STORIES)
pytestmark = pytest.mark.timeout(0 if FULL else 300)


@pytest.fixture
async def shop(
    paying_settings: Settings, stand_in: StandIn, clock: Clock, tmp_path: Path
) -> AsyncIterator[Shop]:
    """Every plan has a price, and any number of accounts may be opened in a minute."""
    plans = tmp_path / "plans.toml"
    plans.write_text(PLANS.format(trial_days=0))
    given = {"plans_file": plans, "rate_limit_sign_in": "100000/minute"}
    async with served(paying_settings.model_copy(update=given), clock) as api:
        yield Shop(api, stand_in)


async def agreed(shop: Shop, **how: Any) -> list[str]:
    return await contradictions(shop.api.deps.database, shop.stand_in.look("/ledger"), **how)


async def mailed(shop: Shop) -> Counter[str]:
    """The mails whose words do not depend on when they were written, without the receipts' numbers."""
    folder = shop.api.deps.mailer._folder  # type: ignore[attr-defined]  # the one for developing
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in folder.glob("*.eml")]
    subjects = [re.sub(r"RG-\d+-\d+", "RG", str(mail["Subject"])) for mail in mails]
    return Counter(subject for subject in subjects if "receipt" in subject or "has ended" in subject)


def facts(rows: Any) -> Counter[str]:
    return Counter(fact.topic for fact in rows["outbox"])


def state(plan: Plan, rows: Any) -> tuple[str, str, int]:
    """The account's tier, the subscription's state, what was paid."""
    [user] = [row for row in rows["users"] if row.id == plan.subscriber.user_id]
    [row] = [row for row in rows["subscriptions"] if row.stripe_subscription_id]
    return user.tier, row.status, sum(invoice.amount_paid_cents for invoice in rows["invoices"])


@pytest.mark.parametrize("name", NAMES)
async def test_in_every_order_after_the_story(shop: Shop, name: str, tmp_path: Path) -> None:
    """From one state again and again: acted on one by one, or several at once, in the end all is the same."""
    steps, expected = STORIES[name]
    plan = await Plan.begin(shop)
    await live(plan, steps)
    events, tried = take_events(shop), 0
    before = KeptState(shop, tmp_path / "kept")
    await before.keep()
    await post_one_by_one(shop, events)
    rows, ledger = await read(shop.api.deps.database), shop.stand_in.look("/ledger")
    assert (differences(rows, ledger), state(plan, rows)) == ([], expected)
    said = await mailed(shop), facts(rows)
    with answers_remembered(shop):
        for order in orders(len(events), seed=name):
            await before.back()
            deliver = (post, post_one_by_one)[tried % 2]
            await deliver(shop, [events[place] for place in order])
            await deliver(shop, take_events(shop))
            rows = await read(shop.api.deps.database)
            assert (differences(rows, ledger), state(plan, rows)) == ([], expected), order
            assert (await mailed(shop), facts(rows)) == said, order
            tried += 1
    assert tried == how_many(len(events))


@pytest.mark.parametrize("lost", [False, True])
async def test_in_any_order_during_the_story_doubled_and_some_dropped(shop: Shop, lost: bool) -> None:
    """After each step some of what has been told arrives, some of it again; the rest at the end, or never."""
    chance = random.Random(7)
    waiting: list[dict[str, Any]] = []

    async def some_arrive() -> None:
        waiting.extend(take_events(shop))
        chance.shuffle(waiting)
        arriving = [waiting.pop() for _ in range(len(waiting) // 2)]
        again = [event for event in arriving if chance.random() < 0.3]
        await post(shop, [*arriving, *again])
        waiting.extend(again)

    begun = shop.api.clock.now
    for n in range(max(2, ORDERS // 2)):
        plan = await Plan.begin(shop)
        await live(plan, STORIES[NAMES[n % len(NAMES)]][0], after_each=some_arrive)
        await plan.end()
        await some_arrive()
        if lost:
            waiting.clear()
    await post(shop, waiting)
    if lost:
        await live(await Plan.begin(shop), STORIES["renewed"][0])
        take_events(shop)  # nothing of it arrives, whatever chance left of the others
        assert await agreed(shop, settled=False) != []
        shop.forward(days=40)
        assert (await reconcile(shop, since=begun)).failed == {}
        await shop.work()
    assert await agreed(shop) == []


@pytest.mark.parametrize("days", [0, 40])
async def test_without_any_webhook_reconciliation_alone_converges(shop: Shop, days: int) -> None:
    """Also of what is older than the events that the provider remembers: objects are compared then."""
    begun = shop.api.clock.now
    for name in NAMES:
        plan = await Plan.begin(shop)
        await live(plan, STORIES[name][0])
        await plan.end()
    assert await agreed(shop, settled=False) != []
    if days:
        shop.forward(days=days)
    report = await reconcile(shop, since=begun)
    assert report.failed == {}
    assert (len(report.missed) == 0) == (days > 30)
    await shop.work()
    assert await agreed(shop) == []
    again = await reconcile(shop, since=begun)  # hears of what we did ourselves meanwhile
    assert (again.drifts, again.failed) == ([], {})
    last = await reconcile(shop, since=begun)
    assert (last.missed, last.drifts, last.failed) == ([], [], {})


async def reconcile(shop: Shop, *, since: datetime) -> reconciliation.Report:
    async def act_on_events() -> None:
        desk = Events(shop.api.deps)
        while await desk.work_once():
            pass

    return await reconciliation.run(
        shop.api.deps.tools, since=since, dry_run=False, act_on_events=act_on_events
    )
