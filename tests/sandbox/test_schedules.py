"""Schedules: what follows later, from which moment on, and what becomes of it when the subscription ends."""

from typing import Any

import pytest
import stripe

from tests.sandbox.test_subscriptions import DAY, Shop, on, period
from tests.support.stand_in import NEW_YEAR, StandIn


@pytest.fixture
def shop(stand_in: StandIn) -> Shop:
    return Shop(stand_in)


def test_a_schedule_downgrades_at_the_end_of_the_period(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe(shop.business)
    schedule = shop.client.v1.subscription_schedules.create({"from_subscription": made.id})
    present = schedule.phases[0]
    phases: Any = [
        {
            "items": [{"price": shop.business.id}],
            "start_date": present.start_date,
            "end_date": present.end_date,
        },
        {"items": [{"price": shop.pro.id}], "duration": {"interval": "month"}},
    ]
    shop.client.v1.subscription_schedules.update(schedule.id, {"end_behavior": "release", "phases": phases})
    assert shop.get(made).schedule == schedule.id
    preview = shop.client.v1.invoices.create_preview({"subscription": made.id})
    assert preview.total == 2000
    shop.stand_in.ask("/clock", now=on(2026, 2, 1) + 3600)
    after = shop.get(made)
    assert after["items"].data[0].price.id == shop.pro.id
    assert [row.total for row in shop.invoices(made)] == [5000, 2000]
    shop.stand_in.ask("/clock", now=on(2026, 3, 2))
    assert shop.get(made).schedule is None
    assert shop.client.v1.subscription_schedules.retrieve(schedule.id).status == "released"


def test_a_phase_names_the_discounts_and_tax_rates_that_it_keeps(shop: Shop) -> None:
    shop.save_card()
    half = shop.client.v1.coupons.create({"percent_off": 50, "duration": "forever"})
    rate = shop.client.v1.tax_rates.create({"display_name": "VAT", "percentage": 10, "inclusive": False})
    made = shop.subscribe(shop.business, discounts=[{"coupon": half.id}], default_tax_rates=[rate.id])
    schedule = shop.client.v1.subscription_schedules.create({"from_subscription": made.id})
    present, discount = schedule.phases[0], made.discounts[0]
    assert (present.discounts[0].discount, present.default_tax_rates[0].id) == (discount, rate.id)
    now: Any = {
        "items": [{"price": shop.business.id}], "start_date": present.start_date,
        "end_date": present.end_date, "discounts": [{"discount": discount}], "default_tax_rates": [rate.id],
    }  # fmt: skip
    then: Any = {"items": [{"price": shop.pro.id}], "duration": {"interval": "month"}}
    shop.client.v1.subscription_schedules.update(schedule.id, {"phases": [now, then]})
    assert shop.get(made).discounts == [discount]
    shop.stand_in.ask("/clock", now=on(2026, 2, 1) + 3600)
    after = shop.get(made)
    assert (after.discounts, after.default_tax_rates) == ([], [])
    assert [row.total for row in shop.invoices(made)] == [2750, 2000]


def test_a_schedule_decides_on_the_end_and_ends_with_its_subscription(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe(shop.business)
    schedule = shop.client.v1.subscription_schedules.create({"from_subscription": made.id})
    for end in ({"cancel_at_period_end": True}, {"cancel_at": on(2026, 1, 9)}):
        with pytest.raises(stripe.InvalidRequestError, match="managed by the subscription schedule"):
            shop.client.v1.subscriptions.update(made.id, end)  # type: ignore[arg-type]  # one of two
    shop.client.v1.subscriptions.cancel(made.id)
    assert shop.client.v1.subscription_schedules.retrieve(schedule.id).status == "canceled"
    assert shop.types()[-2:] == ["subscription_schedule.canceled", "customer.subscription.deleted"]
    shop.stand_in.ask("/clock", now=on(2026, 3, 2))
    assert len(shop.invoices(made)) == 1


def test_a_released_schedule_changes_nothing(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe(shop.business)
    schedule = shop.client.v1.subscription_schedules.create({"from_subscription": made.id})
    shop.client.v1.subscription_schedules.release(schedule.id)
    assert shop.get(made).schedule is None
    shop.stand_in.ask("/clock", now=on(2026, 2, 1) + 3600)
    assert shop.invoices(made)[-1].total == 5000


def test_a_phase_of_another_interval_is_counted_from_its_beginning(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe()
    schedule = shop.client.v1.subscription_schedules.create({"from_subscription": made.id})
    first: Any = {"items": [{"price": shop.pro.id}], "start_date": NEW_YEAR, "end_date": on(2026, 2, 1)}
    price: Any = {"currency": "eur", "unit_amount": 9, "product": shop.pro.product}
    euros = shop.client.v1.prices.create({**price, "recurring": {"interval": "month"}})
    once = shop.client.v1.prices.create(price)
    for wrong in ([shop.yearly.id, shop.pro.id], [euros.id], [once.id]):
        phase: Any = {"items": [{"price": each} for each in wrong]}
        with pytest.raises(stripe.InvalidRequestError):
            shop.client.v1.subscription_schedules.update(schedule.id, {"phases": [first, phase]})
    then: Any = {"items": [{"price": shop.yearly.id}], "duration": {"interval": "year"}}
    shop.client.v1.subscription_schedules.update(schedule.id, {"phases": [first, then]})
    shop.client.v1.prices.update(shop.yearly.id, {"active": False})  # what was agreed holds
    shop.stand_in.ask("/clock", now=on(2026, 2, 2))
    assert period(shop.get(made)) == (on(2026, 2, 1), on(2027, 2, 1))
    assert shop.invoices(made)[-1].total == 20000


def test_a_phase_in_the_middle_of_a_period_is_prorated(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe()
    schedule = shop.client.v1.subscription_schedules.create({"from_subscription": made.id})
    half = on(2026, 1, 16) + DAY // 2
    first: Any = {"items": [{"price": shop.pro.id}], "start_date": NEW_YEAR, "end_date": half}
    then: Any = {
        "items": [{"price": shop.business.id}], "duration": {"interval": "month"},
        "proration_behavior": "always_invoice",
    }  # fmt: skip
    shop.client.v1.subscription_schedules.update(schedule.id, {"phases": [first, then]})
    shop.stand_in.ask("/clock", now=half + 1)
    assert [row.total for row in shop.invoices(made)] == [2000, 1500]
    assert shop.get(made)["items"].data[0].price.id == shop.business.id
