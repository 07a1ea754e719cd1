"""Trials: once for each account, nothing due before their end, cancelled when there is nothing to pay by."""

import pytest

from tests.support.subscribing import Subscriber, make_subscriber


@pytest.fixture
def trial_days() -> int:
    return 14


async def test_a_trial_begins_without_a_payment(subscriber: Subscriber) -> None:
    quote = (await subscriber.preview())["quote"]
    assert (quote["dueNow"]["amountCents"], quote["dueNext"]["amountCents"]) == (0, 2900)
    assert quote["trialEnd"] == quote["nextBillingAt"] == "2026-12-06T12:00:00.000Z"
    changed = await subscriber.change(quote=quote["id"])
    assert (changed["errors"], changed["clientSecret"]) == ([], None)
    assert (changed["subscription"]["status"], changed["subscription"]["tier"]) == ("TRIALING", "PRO")
    assert changed["subscription"]["trialEnd"] == "2026-12-06T12:00:00.000Z"
    assert await subscriber.tier() == "pro"
    subscriber.pay(changed["setupClientSecret"])
    subscriber.shop.forward(days=14, hours=2)
    await subscriber.bring_up_to_date()
    seen = await subscriber.seen()
    assert (seen["status"], seen["currentPeriodEnd"]) == ("ACTIVE", "2027-01-06T12:00:00.000Z")
    assert subscriber.invoices()[0].amount_paid == 2900


async def test_without_a_way_to_pay_it_ends_with_the_trial(subscriber: Subscriber) -> None:
    await subscriber.change()
    subscriber.shop.forward(days=14, seconds=1)
    await subscriber.bring_up_to_date()
    assert ((await subscriber.seen())["tier"], await subscriber.tier()) == ("FREE", "free")
    assert [invoice.amount_due for invoice in subscriber.invoices()] == [0]


async def test_each_account_has_one(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change()
    await subscriber.cancel(at_period_end=False)
    quote = (await subscriber.preview())["quote"]
    assert (quote["trialEnd"], quote["dueNow"]["amountCents"]) == (None, 2900)
    assert (await subscriber.change(quote=quote["id"]))["subscription"]["status"] == "ACTIVE"
    other = await make_subscriber(subscriber.shop)
    assert (await other.preview())["quote"]["trialEnd"] is not None


async def test_during_a_trial_every_change_is_free_and_at_once(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change(interval="YEAR")
    quote = (await subscriber.preview("ENTERPRISE", "MONTH"))["quote"]
    assert (quote["dueNow"]["amountCents"], quote["dueNext"]["amountCents"]) == (0, 9900)
    assert quote["nextBillingAt"] == "2026-12-06T12:00:00.000Z"
    up = await subscriber.change("ENTERPRISE", "MONTH", quote=quote["id"])
    assert (up["errors"], up["subscription"]["status"], up["subscription"]["tier"]) == (
        [],
        "TRIALING",
        "ENTERPRISE",
    )
    down = await subscriber.change("PRO", "MONTH")
    assert (down["errors"], down["subscription"]["tier"], down["subscription"]["scheduledTier"]) == (
        [],
        "PRO",
        None,
    )
    assert [invoice.amount_due for invoice in subscriber.invoices()] == [0]
    subscriber.shop.forward(days=14, hours=2)
    await subscriber.bring_up_to_date()
    assert [invoice.amount_paid for invoice in subscriber.invoices()] == [2900, 0]


async def test_a_trial_that_was_cancelled_ends_when_it_would_have_been_paid(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change()
    await subscriber.cancel()
    assert await subscriber.tier() == "pro"
    subscriber.shop.forward(days=14, hours=2)
    await subscriber.bring_up_to_date()
    assert await subscriber.tier() == "free"
    assert [invoice.amount_due for invoice in subscriber.invoices()] == [0]


async def test_a_quote_of_a_trial_does_not_outlive_it(subscriber: Subscriber) -> None:
    """It ended at the provider, and nothing was heard of that: what was free costs something now."""
    subscriber.save_card()
    await subscriber.change()
    subscriber.shop.forward(days=13, hours=23, minutes=55)
    free = (await subscriber.preview("ENTERPRISE"))["quote"]
    assert free["dueNow"]["amountCents"] == 0
    subscriber.shop.forward(minutes=5)
    changed = await subscriber.change("ENTERPRISE", quote=free["id"])
    assert [error["code"] for error in changed["errors"]] == ["QUOTE_EXPIRED"]
    assert [invoice.total for invoice in subscriber.invoices()] == [2900, 0]
    quote = (await subscriber.preview("ENTERPRISE"))["quote"]
    assert (quote["dueNow"]["amountCents"], quote["trialEnd"]) == (7000, None)
    assert quote["nextBillingAt"] == "2027-01-06T12:00:00.000Z"
    assert (await subscriber.change("ENTERPRISE", quote=quote["id"]))["errors"] == []
    assert subscriber.invoices()[0].amount_paid == 7000
    assert await subscriber.tier() == "enterprise"
