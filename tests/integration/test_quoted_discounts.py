"""What is due next has those discounts alone that last until then: quoted, and then invoiced so."""

from typing import Any

import pytest

from app.domain.plans import Tier
from tests.support.subscribing import Subscriber

ONCE: dict[str, Any] = {"duration": "once"}
FOREVER: dict[str, Any] = {"duration": "forever"}


def months(count: int) -> dict[str, Any]:
    return {"duration": "repeating", "duration_in_months": count}


def coupon(subscriber: Subscriber, given: Any) -> str:
    return subscriber.client.v1.coupons.create({"percent_off": 50, **given}).id


def give(subscriber: Subscriber, given: Any) -> None:
    """To the customer."""
    key = coupon(subscriber, given)
    subscriber.shop.stand_in.ask(f"/customers/{subscriber.customer}/discount", coupon=key)


async def subscribe(subscriber: Subscriber, *given: Any) -> None:
    """Without a discount; then the subscription gets these, and ten per cent of tax."""
    subscriber.save_card()
    await subscriber.change()
    [made] = subscriber.subscriptions()
    rate = subscriber.client.v1.tax_rates.create(
        {"display_name": "VAT", "percentage": 10, "inclusive": False}
    )
    discounts: Any = [{"coupon": coupon(subscriber, each)} for each in given]
    subscriber.client.v1.subscriptions.update(
        made.id, {"discounts": discounts or "", "default_tax_rates": [rate.id]}
    )


async def quoted(subscriber: Subscriber, *wanted: Any) -> tuple[Any, int]:
    """The quote, and how many previews the provider was asked for."""
    subscriber.shop.stand_in.control.delete("/_sandbox/requests")
    quote = (await subscriber.preview(*wanted))["quote"]
    asked = [row["path"] for row in subscriber.shop.stand_in.look("/requests")]
    return quote, asked.count("/v1/invoices/create_preview")


def due(quote: Any) -> tuple[int, int]:
    return quote["dueNow"]["amountCents"], quote["dueNext"]["amountCents"]


@pytest.mark.parametrize(
    ("given", "expected", "previews"),
    [
        (None, (2900, 2900), 1),
        (ONCE, (1450, 2900), 2),
        (months(1), (1450, 2900), 2),  # it ends at the very moment of the next invoice
        (months(2), (1450, 1450), 1),
        (FOREVER, (1450, 1450), 1),
    ],
)
async def test_a_start_by_a_customer_with_a_discount(
    subscriber: Subscriber, given: Any, expected: tuple[int, int], previews: int
) -> None:
    if given:
        give(subscriber, given)
    quote, asked = await quoted(subscriber)
    assert (due(quote), asked) == (expected, previews)
    subscriber.save_card()
    assert (await subscriber.change(quote=quote["id"]))["errors"] == []
    subscriber.shop.forward(days=30, hours=2)
    assert [invoice.total for invoice in subscriber.invoices()] == [*reversed(expected)]


@pytest.mark.parametrize(
    ("given", "next_cents", "previews"),
    [
        ([], 10890, 2),
        ([ONCE], 10890, 3),
        ([months(1)], 10890, 3),
        ([months(2)], 5445, 2),
        ([FOREVER], 5445, 2),
        ([FOREVER, ONCE], 5212, 3),  # less what the upgrade leaves: its rest costs less than was paid
    ],
)
async def test_an_upgrade_of_a_subscription_with_discounts(
    subscriber: Subscriber, given: list[Any], next_cents: int, previews: int
) -> None:
    await subscribe(subscriber, *given)
    subscriber.shop.forward(days=15)
    quote, asked = await quoted(subscriber, "ENTERPRISE")
    assert (quote["dueNext"]["amountCents"], asked) == (next_cents, previews)
    assert (await subscriber.change("ENTERPRISE", quote=quote["id"]))["errors"] == []
    subscriber.shop.forward(days=15, hours=2)
    asked_for = [invoice.amount_due for invoice in subscriber.invoices()]
    assert asked_for == [next_cents, quote["dueNow"]["amountCents"], 2900]


@pytest.mark.parametrize(
    ("given", "next_cents"), [(ONCE, 1595), (months(1), 3190), (months(2), 1595), (FOREVER, 1595)]
)
async def test_a_downgrade_is_invoiced_next_with_what_is_left_then(
    subscriber: Subscriber, given: Any, next_cents: int
) -> None:
    """Nothing is invoiced before, so that what holds once holds for that one."""
    await subscribe(subscriber, given)
    [made] = subscriber.subscriptions()
    item: Any = made["items"].data[0].id
    price: Any = await subscriber.price(Tier.ENTERPRISE)
    subscriber.client.v1.subscriptions.update(
        made.id, {"items": [{"id": item, "price": price}], "proration_behavior": "none"}
    )
    await subscriber.bring_up_to_date()
    quote, asked = await quoted(subscriber, "PRO")
    assert (due(quote), asked) == ((0, next_cents), 1)
    assert (await subscriber.change("PRO", quote=quote["id"]))["errors"] == []
    subscriber.shop.forward(days=30, hours=2)
    assert subscriber.invoices()[0].total == next_cents


@pytest.mark.parametrize("whose", ["customer", "subscription"])
@pytest.mark.parametrize(
    ("given", "next_cents", "previews"), [(months(11), 2900, 2), (months(13), 1450, 1), (ONCE, 1450, 1)]
)
async def test_by_the_month_after_a_year_what_ended_meanwhile_is_gone(
    subscriber: Subscriber, given: Any, next_cents: int, previews: int, whose: str
) -> None:
    subscriber.save_card()
    await subscriber.change("PRO", "YEAR")
    if whose == "customer":
        give(subscriber, given)
    else:
        [made] = subscriber.subscriptions()
        own: Any = [{"coupon": coupon(subscriber, given)}]
        subscriber.client.v1.subscriptions.update(made.id, {"discounts": own})
    quote, asked = await quoted(subscriber, "PRO", "MONTH")
    assert (due(quote), asked) == ((0, next_cents), previews)
    assert quote["nextBillingAt"] == "2027-11-22T12:00:00.000Z"
    assert (await subscriber.change("PRO", "MONTH", quote=quote["id"]))["errors"] == []
    subscriber.shop.forward(days=365, hours=2)
    assert subscriber.invoices()[0].total == next_cents


async def test_the_credit_that_an_upgrade_leaves_pays_the_next_period_too(subscriber: Subscriber) -> None:
    """355 of the 365 days of 290.00 come back: 282.05 for 99.00 now, and for the next month."""
    subscriber.save_card()
    await subscriber.change("PRO", "YEAR")
    subscriber.shop.forward(days=10)
    await subscriber.bring_up_to_date()
    quote, _ = await quoted(subscriber, "ENTERPRISE", "MONTH")
    assert (due(quote), quote["proration"]["amountCents"]) == ((0, 0), -28_205)
    assert (await subscriber.change("ENTERPRISE", "MONTH", quote=quote["id"]))["errors"] == []
    subscriber.shop.forward(days=62, hours=2)
    paid = [(invoice.total, invoice.amount_paid) for invoice in subscriber.invoices()]
    assert paid == [(9900, 1495), (9900, 0), (9900 - 28_205, 0), (29_000, 29_000)]


@pytest.mark.parametrize("trial_days", [14])
@pytest.mark.parametrize(
    ("given", "next_cents", "previews"), [(None, 2900, 2), (ONCE, 2900, 3), (FOREVER, 1450, 2)]
)
async def test_a_trial_spends_what_holds_once(
    subscriber: Subscriber, given: Any, next_cents: int, previews: int
) -> None:
    if given:
        give(subscriber, given)
    quote, asked = await quoted(subscriber)
    assert (due(quote), asked) == ((0, next_cents), previews)
    subscriber.save_card()
    await subscriber.change(quote=quote["id"])
    subscriber.shop.forward(days=14, hours=2)
    assert [invoice.total for invoice in subscriber.invoices()] == [next_cents, 0]
