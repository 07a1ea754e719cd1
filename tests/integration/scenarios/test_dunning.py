"""A renewal that cannot be collected, told through the calendar: what is tried when, what is told, how it ends.

Everything comes by events and jobs, as it does in life.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.test_payment_methods import DEFAULT, add
from tests.support.subscribing import Subscriber

RENEWAL = datetime(2026, 12, 22, 13, tzinfo=UTC)  # the invoice becomes final an hour after the period's end
FAILING, WORKING = "pm_card_chargeCustomerFail", "pm_card_visa"
FAILED = "Your payment of $29.00 failed"


class Story:
    """A monthly PRO since 22 November, whose card stopped working before the first renewal."""

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber, self.method = subscriber, ""

    async def begin(self) -> None:
        self.method = self.subscriber.save_card()
        await self.subscriber.change()
        await self.subscriber.hear()
        self.card(FAILING)

    def card(self, card: str) -> None:
        self.subscriber.shop.stand_in.ask(f"/payment_methods/{self.method}", card=card)

    async def day(self, number: int) -> list[str]:
        """So many days after the renewal failed: the mails that came since."""
        clock = self.subscriber.shop.api.clock
        wanted = (RENEWAL - clock.now).total_seconds() + number * 86_400
        self.subscriber.shop.forward(seconds=wanted)
        return await self.subscriber.hear()

    async def state(self) -> tuple[str, str, str]:
        seen = await self.subscriber.seen()
        return seen["tier"], seen["status"], await self.subscriber.tier()

    @property
    def invoice(self) -> Any:
        return self.subscriber.invoices()[0]

    def act(self, action: str, **given: str) -> None:
        """What the payer does on the page of the invoice."""
        invoice = self.subscriber.client.v1.invoices.retrieve(self.invoice.id, {"expand": ["payments"]})
        intent = invoice["payments"]["data"][0]["payment"]["payment_intent"]
        self.subscriber.shop.act(intent, action, **given)


GOOD, BEHIND, OVER = ("PRO", "ACTIVE", "pro"), ("PRO", "PAST_DUE", "pro"), ("FREE", "ACTIVE", "free")
STEPS = [0, 2, 7, 14, 21]


@pytest.fixture
async def story(subscriber: Subscriber) -> Story:
    told = Story(subscriber)
    await told.begin()
    return told


async def test_the_plan_stays_through_every_retry_and_ends_with_the_last(story: Story) -> None:
    for step, day in enumerate(STEPS[:-1], start=1):
        mails = await story.day(day)
        assert mails[-1] == FAILED, day
        assert await story.state() == BEHIND
        assert story.invoice.attempt_count == step
    assert (await story.subscriber.seen())["pastDueSince"] == "2026-12-22T13:00:00.000Z"
    assert await story.day(20) == []
    assert await story.state() == BEHIND
    last = await story.day(21)
    assert last == [f"Last notice: {FAILED[0].lower()}{FAILED[1:]}", "Your plan Pro has ended"]
    assert await story.state() == OVER
    assert await story.day(60) == []
    assert len({row.anchor_at for row in await story.subscriber.rows()}) == 1


@pytest.mark.parametrize("step", range(1, len(STEPS)))
async def test_a_retry_that_succeeds_brings_it_back(story: Story, step: int) -> None:
    for day in STEPS[:step]:
        await story.day(day)
    story.card(WORKING)
    mails = await story.day(STEPS[step])
    assert [mail for mail in mails if "failed" in mail] == []
    assert await story.state() == GOOD
    assert (await story.subscriber.seen())["pastDueSince"] is None
    assert (story.invoice.status, story.invoice.attempt_count) == ("paid", step + 1)


@pytest.mark.parametrize("day", [1, 8, 20])
async def test_another_card_as_the_default_pays_what_is_open_at_once(story: Story, day: int) -> None:
    for each in [step for step in STEPS if step <= day]:
        await story.day(each)
    await story.day(day)
    other = await add(story.subscriber, "pm_card_mastercard")
    assert await story.state() == BEHIND
    assert (await story.subscriber.session(DEFAULT, paymentMethodId=other))["errors"] == []
    await story.subscriber.hear()
    assert await story.state() == GOOD
    assert story.invoice.status == "paid"
    await story.day(31)
    assert await story.state() == GOOD
    assert [invoice.amount_paid for invoice in story.subscriber.invoices()] == [2900, 2900, 2900]


async def test_another_card_that_fails_too_changes_nothing(story: Story) -> None:
    await story.day(0)
    other = await add(story.subscriber, FAILING)
    await story.subscriber.session(DEFAULT, paymentMethodId=other)
    await story.subscriber.hear()
    assert await story.state() == BEHIND
    await story.day(2)
    assert story.invoice.attempt_count == 2


async def test_the_payers_own_payment_on_the_invoices_page_brings_it_back(story: Story) -> None:
    await story.day(0)
    story.act("pay", card="pm_card_mastercard")
    await story.subscriber.hear()
    assert await story.state() == GOOD


async def test_a_renewal_that_needs_authentication_waits_for_the_payer(story: Story) -> None:
    story.card("pm_card_authenticationRequired")
    assert FAILED in await story.day(0)
    assert await story.state() == BEHIND
    story.act("authenticate")
    await story.subscriber.hear()
    assert await story.state() == GOOD


async def test_a_subscription_that_ended_may_begin_again(story: Story) -> None:
    for day in STEPS:
        await story.day(day)
    assert await story.state() == OVER
    story.card(WORKING)
    assert (await story.subscriber.change(interval="YEAR"))["errors"] == []
    assert await story.state() == GOOD
    assert len({row.anchor_at for row in await story.subscriber.rows()}) == 1


async def test_what_is_kept_as_unpaid_gives_no_plan_until_it_is_paid(story: Story) -> None:
    """As an account at the provider may be set, instead of cancelling."""
    story.subscriber.shop.stand_in.ask("/settings", after_last_retry="unpaid")
    for day in STEPS[:-1]:
        await story.day(day)
    assert "Your plan Pro has ended" in await story.day(21)
    assert await story.state() == OVER
    assert story.subscriber.subscriptions()[0].status == "unpaid"
    refused = await story.subscriber.cancel()
    assert [error["code"] for error in refused["errors"]] == ["INVALID_STATE"]
    other = await add(story.subscriber, "pm_card_mastercard")
    await story.subscriber.session(DEFAULT, paymentMethodId=other)
    await story.subscriber.hear()
    assert await story.state() == GOOD
    assert len({row.anchor_at for row in await story.subscriber.rows()}) == 1


async def test_cancelling_during_dunning_ends_it_with_the_period(story: Story) -> None:
    await story.day(0)
    assert (await story.subscriber.cancel())["subscription"]["cancelAtPeriodEnd"] is True
    assert await story.state() == BEHIND
    for day in STEPS:
        await story.day(day)
    assert await story.state() == OVER


async def test_an_upgrade_waits_for_the_open_invoice(story: Story) -> None:
    await story.day(0)
    refused = await story.subscriber.preview("ENTERPRISE")
    assert [error["code"] for error in refused["errors"]] == ["INVALID_STATE"]
    story.card(WORKING)
    await story.day(2)
    assert (await story.subscriber.change("ENTERPRISE"))["subscription"]["tier"] == "ENTERPRISE"


async def test_a_downgrade_chosen_during_dunning_comes_when_it_was_paid(story: Story) -> None:
    """From the enterprise plan, whose renewal failed, to PRO."""
    story.card(WORKING)
    await story.subscriber.change("ENTERPRISE")
    story.card(FAILING)
    await story.day(0)
    changed = await story.subscriber.change("PRO")
    assert (changed["errors"], changed["subscription"]["scheduledTier"]) == ([], "PRO")
    story.card(WORKING)
    await story.day(2)
    assert await story.state() == ("ENTERPRISE", "ACTIVE", "enterprise")
    await story.day(31)
    assert await story.state() == GOOD


async def test_an_account_of_which_every_event_was_lost_is_right_after_one_look(story: Story) -> None:
    story.subscriber.shop.forward(days=70)
    await story.subscriber.shop.deliver(drop=["*"])
    await story.subscriber.bring_up_to_date()
    assert await story.state() == OVER
