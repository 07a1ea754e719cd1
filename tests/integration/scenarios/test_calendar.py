"""Subscriptions through the calendar: trials that end, yearly renewals, months without a 31st, endings."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.clients import Clock
from tests.support.subscribing import Subscriber


class TestATrial:
    @pytest.fixture
    def trial_days(self) -> int:
        return 14

    async def test_is_announced_three_days_before_its_end(self, subscriber: Subscriber) -> None:
        subscriber.save_card()
        await subscriber.change()
        assert await subscriber.hear() == ["Your plan is Pro now"]
        subscriber.shop.forward(days=10)
        assert await subscriber.hear() == []
        subscriber.shop.forward(days=1)
        assert await subscriber.hear() == ["Your trial of Pro ends on 6 December 2026"]
        await subscriber.bring_up_to_date()
        assert await subscriber.hear() == []
        subscriber.shop.forward(days=3, hours=2)
        mails = await subscriber.hear()
        assert [mail for mail in mails if "trial" in mail.lower()] == []
        assert (await subscriber.seen())["status"] == "ACTIVE"

    async def test_whose_payment_fails_is_tried_again(self, subscriber: Subscriber) -> None:
        subscriber.save_card("pm_card_chargeCustomerFail")
        await subscriber.change()
        subscriber.shop.forward(days=14, hours=2)
        assert "Your payment of $29.00 failed" in await subscriber.hear()
        seen = await subscriber.seen()
        assert (seen["status"], seen["tier"]) == ("PAST_DUE", "PRO")


async def test_a_year_is_renewed_by_the_year(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change(interval="YEAR")
    await subscriber.hear()
    for year in (2027, 2028):
        assert (await subscriber.seen())["currentPeriodEnd"] == f"{year}-11-22T12:00:00.000Z"
        now = subscriber.shop.api.clock.now
        subscriber.shop.forward(days=(datetime(year, 11, 22, 14, tzinfo=UTC) - now).days + 1)
        await subscriber.hear()
    assert [invoice.amount_paid for invoice in subscriber.invoices()] == [29_000] * 3
    assert (await subscriber.seen())["status"] == "ACTIVE"


class TestThe31st:
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock(datetime(2027, 1, 31, 12, tzinfo=UTC))

    async def test_comes_back_after_shorter_months(self, subscriber: Subscriber) -> None:
        subscriber.save_card()
        await subscriber.change()
        ends: list[Any] = []
        for _ in range(4):
            await subscriber.hear()
            ends.append((await subscriber.seen())["currentPeriodEnd"][:10])
            end = datetime.fromisoformat(ends[-1]).replace(hour=14, tzinfo=UTC)
            subscriber.shop.forward(seconds=(end - subscriber.shop.api.clock.now).total_seconds())
        assert ends == ["2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]


async def test_each_change_of_plan_is_told_once(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change("ENTERPRISE")
    assert (await subscriber.hear())[-1] == "Your plan is Enterprise now"
    await subscriber.change("PRO")
    assert await subscriber.hear() == ["Your plan changes to Pro on 22 December 2026"]
    await subscriber.resume()
    assert await subscriber.hear() == ["Your plan is Enterprise now"]
    await subscriber.cancel()
    assert await subscriber.hear() == ["Your plan Enterprise ends on 22 December 2026"]
    await subscriber.bring_up_to_date()
    assert await subscriber.hear() == []
    subscriber.shop.forward(days=31)
    assert await subscriber.hear() == ["Your plan Enterprise has ended"]
    assert await subscriber.tier() == "free"


async def test_usage_goes_on_through_every_change(subscriber: Subscriber) -> None:
    """The account's month is that of its registration, whatever the subscription's is."""
    asked = "{ viewer { usage { periodStart periodEnd meters { resource used } } } }"

    async def usage() -> Any:
        seen = (await subscriber.api(asked)).payload()["usage"]
        return seen["periodStart"], next(m["used"] for m in seen["meters"] if m["resource"] == "API_CALL")

    subscriber.save_card()
    start, before = await usage()
    subscriber.shop.forward(days=5)
    await subscriber.change(interval="YEAR")
    await subscriber.hear()
    await subscriber.cancel(at_period_end=False)
    await subscriber.hear()
    # a preview, a change, a cancellation, and this question itself
    assert await usage() == (start, before + 4)
