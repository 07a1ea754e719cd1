"""An upgrade by a card that asks for authentication: it waits for its payer, and changes nothing until then."""

from datetime import timedelta
from typing import Any

import pytest

from app.jobs import settle_tier_changes
from app.services import reconciliation
from tests.integration.test_tier_changes import changes, codes
from tests.support.subscribing import Subscriber, new_key


@pytest.fixture
async def waiting(subscriber: Subscriber) -> Subscriber:
    """By the month, with a card that asks at every payment from now on."""
    method = subscriber.save_card()
    await subscriber.change()
    subscriber.shop.forward(days=15)
    subscriber.shop.stand_in.ask(f"/payment_methods/{method}", card="pm_card_authenticationRequired")
    await subscriber.hear()
    return subscriber


async def last_change(subscriber: Subscriber) -> tuple[str, str | None]:
    change = (await changes(subscriber))[-1]
    assert (change.check_at is None) == (change.status in ("applied", "failed"))
    return change.status, change.failure_code


async def settled(subscriber: Subscriber) -> tuple[str, str | None]:
    await settle_tier_changes(subscriber.shop.api.deps)
    return await last_change(subscriber)


async def test_it_is_done_when_the_payer_has_agreed(waiting: Subscriber) -> None:
    quote, key = (await waiting.preview("ENTERPRISE"))["quote"]["id"], new_key()
    changed = await waiting.change("ENTERPRISE", quote=quote, key=key)
    assert (changed["errors"], changed["subscription"]["tier"]) == ([], "PRO")
    assert changed["subscription"]["status"] == "ACTIVE"
    assert changed["clientSecret"].startswith("pi_")
    assert await waiting.hear() == []
    assert (await waiting.tier(), await last_change(waiting)) == ("pro", ("waiting", None))
    assert await waiting.change("ENTERPRISE", quote=quote, key=key) == changed
    assert [invoice.status for invoice in waiting.invoices()] == ["open", "paid"]
    waiting.pay(changed["clientSecret"], "authenticate")
    assert await waiting.hear() == ["Your plan is Enterprise now"]
    assert (await waiting.tier(), (await waiting.seen())["tier"]) == ("enterprise", "ENTERPRISE")
    assert await settled(waiting) == ("applied", None)
    assert [invoice.amount_paid for invoice in waiting.invoices()] == [3500, 2900]
    again = await waiting.change("ENTERPRISE", quote=quote, key=key)
    assert (again["errors"], again["clientSecret"]) == ([], changed["clientSecret"])
    assert len(waiting.invoices()) == 2


async def test_asking_again_after_the_payer_agreed_needs_no_event(waiting: Subscriber) -> None:
    quote, key = (await waiting.preview("ENTERPRISE"))["quote"]["id"], new_key()
    changed = await waiting.change("ENTERPRISE", quote=quote, key=key)
    waiting.pay(changed["clientSecret"], "authenticate")
    again = await waiting.change("ENTERPRISE", quote=quote, key=key)
    assert (again["errors"], again["subscription"]["tier"]) == ([], "ENTERPRISE")
    assert (await waiting.tier(), await last_change(waiting)) == ("enterprise", ("applied", None))


async def test_what_nobody_agrees_to_in_time_was_never_asked(waiting: Subscriber) -> None:
    quote, key = (await waiting.preview("ENTERPRISE"))["quote"]["id"], new_key()
    await waiting.change("ENTERPRISE", quote=quote, key=key)
    before = await waiting.seen()
    waiting.shop.forward(hours=24)
    assert await waiting.hear() == []
    assert await settled(waiting) == ("failed", "not_paid")
    assert (await waiting.seen(), await waiting.tier()) == (before, "pro")
    assert [invoice.status for invoice in waiting.invoices()] == ["void", "paid"]
    late = await waiting.change("ENTERPRISE", quote=quote, key=key)
    assert [(error["code"], error["reason"]) for error in late["errors"]] == [("PAYMENT_REFUSED", "not_paid")]


async def test_a_refused_authentication_leaves_another_try(waiting: Subscriber) -> None:
    changed = await waiting.change("ENTERPRISE")
    waiting.pay(changed["clientSecret"], "decline")
    assert await waiting.hear() == []
    assert (await waiting.tier(), await settled(waiting)) == ("pro", ("waiting", None))
    waiting.pay(changed["clientSecret"], "pay", card="pm_card_mastercard")
    await waiting.hear()
    assert (await waiting.tier(), await settled(waiting)) == ("enterprise", ("applied", None))


@pytest.mark.parametrize("other", ["upgrade", "cancel", "cancel now"])
async def test_another_change_takes_its_place(waiting: Subscriber, other: str) -> None:
    first = await waiting.change("ENTERPRISE")
    if other == "upgrade":
        second = await waiting.change("PRO", "YEAR")
        assert second["clientSecret"] not in (None, first["clientSecret"])
    elif other == "cancel":
        second = await waiting.cancel()
        assert second["subscription"]["cancelAtPeriodEnd"] is True
    else:
        second = await waiting.cancel(at_period_end=False)
    assert second["errors"] == []
    replaced = (await changes(waiting))[-2]
    assert (replaced.status, replaced.failure_code, replaced.check_at) == ("failed", "replaced", None)
    assert [invoice.status for invoice in waiting.invoices()][-2] == "void"
    intent = waiting.client.v1.payment_intents.retrieve(first["clientSecret"].partition("_secret_")[0])
    assert intent.status == "canceled"
    assert await waiting.tier() == ("free" if other == "cancel now" else "pro")


async def test_one_that_was_just_paid_is_kept(waiting: Subscriber) -> None:
    first = await waiting.change("ENTERPRISE")
    waiting.pay(first["clientSecret"], "authenticate")
    refused = await waiting.cancel()
    assert [(error["code"], error["reason"]) for error in refused["errors"]] == [
        ("PAYMENT_REFUSED", "paid_meanwhile")
    ]
    assert await waiting.tier() == "enterprise"
    await settle_tier_changes(waiting.shop.api.deps)
    assert [(row.status, row.failure_code) for row in (await changes(waiting))[-2:]] == [
        ("applied", None),
        ("failed", "paid_meanwhile"),
    ]


async def test_what_was_to_follow_is_given_up_when_it_is_paid(waiting: Subscriber) -> None:
    await waiting.cancel()
    changed = await waiting.change("ENTERPRISE")
    assert changed["subscription"]["cancelAtPeriodEnd"] is True
    waiting.pay(changed["clientSecret"], "authenticate")
    await waiting.hear()
    assert await settled(waiting) == ("applied", None)
    seen = await waiting.seen()
    assert (seen["tier"], seen["cancelAtPeriodEnd"]) == ("ENTERPRISE", False)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_without_an_answer_it_is_finished_by_the_sweeper(waiting: Subscriber, when: str) -> None:
    quote, key = (await waiting.preview("ENTERPRISE"))["quote"]["id"], new_key()
    waiting.shop.lose("/v1/subscriptions/*", when=when)
    assert codes(await waiting.change("ENTERPRISE", quote=quote, key=key)) == ["PAYMENT_UNCONFIRMED"]
    waiting.shop.forward(minutes=3)
    assert await settled(waiting) == ("waiting", None)
    changed: Any = await waiting.change("ENTERPRISE", quote=quote, key=key)
    waiting.pay(changed["clientSecret"], "authenticate")
    await waiting.hear()
    assert (await waiting.tier(), await settled(waiting)) == ("enterprise", ("applied", None))
    assert [invoice.amount_paid for invoice in waiting.invoices()] == [3500, 2900]


async def test_reconciliation_alone_applies_it(waiting: Subscriber) -> None:
    changed = await waiting.change("ENTERPRISE")
    waiting.pay(changed["clientSecret"], "authenticate")
    since = waiting.shop.api.clock.now - timedelta(days=1)
    await reconciliation.run(waiting.shop.api.deps.tools, since=since, dry_run=False)
    assert (await waiting.tier(), await settled(waiting)) == ("enterprise", ("applied", None))
