"""What a part of a period is worth: of what was billed, less the discounts, however long the period was."""

from typing import Any

import pytest
import stripe

from tests.sandbox.test_subscriptions import DAY, Shop, on
from tests.support.stand_in import NEW_YEAR, StandIn

AT_ONCE: Any = {"proration_behavior": "always_invoice"}


@pytest.fixture
def shop(stand_in: StandIn) -> Shop:
    return Shop(stand_in)


def lines(shop: Shop, made: stripe.Subscription) -> list[int]:
    return [line.amount for line in shop.invoices(made)[-1].lines.data]


@pytest.mark.parametrize(
    ("coupon", "expected"),
    [
        ({"percent_off": 50}, [-677, 1694]),  # 21/31 of 1000 that were paid, and of half of 5000
        ({"amount_off": 500, "currency": "usd"}, [-1016, 3048]),  # of 1500, and of 4500
    ],
)
def test_it_is_net_of_discounts(shop: Shop, coupon: Any, expected: list[int]) -> None:
    shop.save_card()
    made = shop.subscribe(
        discounts=[{"coupon": shop.client.v1.coupons.create({**coupon, "duration": "forever"}).id}]
    )
    shop.stand_in.pass_days(10)
    shop.change(made, shop.business, **AT_ONCE)
    assert lines(shop, made) == expected
    assert shop.invoices(made)[-1].total == sum(expected)


def test_a_discount_that_is_spent_leaves_no_more_credit_than_was_paid(shop: Shop) -> None:
    shop.save_card()
    half: Any = {"percent_off": 50, "duration": "once"}
    made = shop.subscribe(discounts=[{"coupon": shop.client.v1.coupons.create(half).id}])
    shop.stand_in.pass_days(10)
    shop.change(made, shop.business, **AT_ONCE)
    assert lines(shop, made) == [-677, 3387]
    first, second = shop.invoices(made)
    parent = second.lines.data[0].parent
    assert parent is not None
    assert parent.subscription_item_details is not None
    details = parent.subscription_item_details.proration_details
    assert details is not None
    assert details.credited_items is not None
    assert details.credited_items.invoice == first.id
    assert details.credited_items.invoice_line_items == [first.lines.data[0].id]


def test_a_second_change_credits_the_first(shop: Shop) -> None:
    """Also while that one waits for the renewal: 21 days of 5000 were charged, 11 of them are left."""
    shop.save_card()
    made = shop.subscribe()
    shop.stand_in.pass_days(10)
    shop.change(made, shop.business)
    shop.stand_in.pass_days(10)
    shop.change(made, shop.pro)
    pending = shop.client.v1.invoice_items.list({"customer": shop.customer.id, "pending": True}).data
    assert [entry.amount for entry in pending][::-1] == [-1355, 3387, -1774, 710]


def test_a_short_first_period_is_a_part_of_a_whole_one(shop: Shop) -> None:
    """Ten days until the anchor: 10 of the 31 before it are charged, 5 of which are left at the change."""
    shop.save_card()
    made = shop.subscribe(billing_cycle_anchor=NEW_YEAR + 10 * DAY)
    assert lines(shop, made) == [645]
    shop.stand_in.pass_days(5)
    shop.change(made, shop.business, **AT_ONCE)
    assert lines(shop, made) == [-323, 806]
    shop.stand_in.pass_days(6)
    shop.change(shop.get(made), shop.pro, **AT_ONCE)
    assert lines(shop, made) == [-4839, 1935]


def test_an_end_at_the_period_follows_the_period(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe(cancel_at_period_end=True)
    changed = shop.change(made, shop.yearly)
    assert (changed.cancel_at_period_end, changed.cancel_at) == (True, on(2027, 1, 1))


def test_the_end_of_a_trial_is_told_at_once_when_it_is_near(shop: Shop) -> None:
    shop.save_card()
    notice = "customer.subscription.trial_will_end"
    shop.subscribe(trial_period_days=2)
    assert shop.types().count(notice) == 1
    made = shop.subscribe(trial_period_days=20)
    shop.client.v1.subscriptions.update(made.id, {"metadata": {"a": "b"}})
    assert shop.types().count(notice) == 1
    shop.client.v1.subscriptions.update(made.id, {"trial_end": "now"})
    shop.client.v1.subscriptions.update(made.id, {"trial_end": "now"})
    assert shop.types().count(notice) == 2


def test_an_item_alone_is_added_changed_and_removed(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe()
    shop.stand_in.pass_days(10)
    items = shop.client.v1.subscription_items
    added = items.create({"subscription": made.id, "price": shop.business.id, **AT_ONCE})
    assert (added.price.id, added.current_period_end) == (shop.business.id, on(2026, 2, 1))
    assert lines(shop, made) == [3387]
    assert items.update(added.id, {"quantity": 2, **AT_ONCE}).quantity == 2
    assert lines(shop, made) == [-3387, 6774]
    assert items.delete(added.id, AT_ONCE).deleted is True
    assert lines(shop, made) == [-6774]
    assert [item.id for item in items.list({"subscription": made.id}).data] == [made["items"].data[0].id]
    with pytest.raises(stripe.InvalidRequestError):
        items.delete(added.id)
    with pytest.raises(stripe.InvalidRequestError):
        items.delete(made["items"].data[0].id)
