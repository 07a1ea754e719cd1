"""A quote shows every line and what will truly be collected: quoted, and then invoiced so."""

from typing import Any

import pytest

from tests.support.subscribing import Subscriber


def wait_for_next_invoice(subscriber: Subscriber, *amounts: int) -> None:
    for cents in amounts:
        subscriber.client.v1.invoice_items.create(
            {"customer": subscriber.customer, "amount": cents, "currency": "usd", "description": "Training"}
        )


def due(quote: Any) -> tuple[int, int]:
    return quote["dueNow"]["amountCents"], quote["dueNext"]["amountCents"]


def collected(subscriber: Subscriber) -> list[tuple[int, int]]:
    """Of each invoice what it comes to, and what was asked of the payer for it; the newest first."""
    return [(invoice.total, invoice.amount_due) for invoice in subscriber.invoices()]


async def test_every_line_is_shown_and_what_waited_is_due_once(subscriber: Subscriber) -> None:
    wait_for_next_invoice(subscriber, *range(100, 111))
    quote = (await subscriber.preview())["quote"]
    assert [line["amount"]["amountCents"] for line in quote["lines"]] == [2900, *range(100, 111)]
    assert (due(quote), quote["nextBillingAt"]) == ((4055, 2900), "2026-12-22T12:00:00.000Z")
    subscriber.save_card()
    assert (await subscriber.change(quote=quote["id"]))["errors"] == []
    subscriber.shop.forward(days=30, hours=2)
    assert collected(subscriber) == [(2900, 2900), (4055, 4055)]


async def test_an_upgrade_takes_what_waited_along(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change()
    wait_for_next_invoice(subscriber, 700)
    subscriber.shop.forward(days=15)
    quote = (await subscriber.preview("ENTERPRISE"))["quote"]
    assert (due(quote), quote["proration"]["amountCents"]) == ((4200, 9900), 3500)
    assert quote["nextBillingAt"] == "2026-12-22T12:00:00.000Z"
    assert (await subscriber.change("ENTERPRISE", quote=quote["id"]))["errors"] == []
    subscriber.shop.forward(days=15, hours=2)
    assert collected(subscriber) == [(9900, 9900), (4200, 4200), (2900, 2900)]


async def test_a_downgrade_leaves_it_to_the_next_invoice(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change("ENTERPRISE")
    wait_for_next_invoice(subscriber, 700)
    subscriber.shop.forward(days=15)
    quote = (await subscriber.preview("PRO"))["quote"]
    begins = [(line["amount"]["amountCents"], line["periodStart"]) for line in quote["lines"]]
    assert begins == [(2900, "2026-12-22T12:00:00.000Z"), (700, "2026-11-22T12:00:00.000Z")]
    assert due(quote) == (0, 3600)
    assert (await subscriber.change("PRO", quote=quote["id"]))["errors"] == []
    subscriber.shop.forward(days=15, hours=2)
    assert collected(subscriber) == [(3600, 3600), (9900, 9900)]


@pytest.mark.parametrize(
    ("off", "cents", "dues"), [(99.5, 14, (0, 0)), (99, 29, (0, 58)), (98, 58, (58, 58))]
)
async def test_what_is_too_small_to_be_collected_waits_on_the_balance(
    subscriber: Subscriber, off: float, cents: int, dues: tuple[int, int]
) -> None:
    """Under fifty cents are asked of nobody."""
    coupon = subscriber.client.v1.coupons.create({"percent_off": off, "duration": "forever"})
    subscriber.shop.stand_in.ask(f"/customers/{subscriber.customer}/discount", coupon=coupon.id)
    subscriber.save_card()
    quote = (await subscriber.preview())["quote"]
    assert due(quote) == dues
    changed = await subscriber.change(quote=quote["id"])
    assert (changed["errors"], changed["subscription"]["status"]) == ([], "ACTIVE")
    subscriber.shop.forward(days=30, hours=2)
    assert collected(subscriber) == [(cents, dues[1]), (cents, dues[0])]


async def test_an_upgrade_for_the_last_hour_is_paid_with_the_next_period(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change()
    subscriber.shop.forward(days=29, hours=23)
    quote = (await subscriber.preview("ENTERPRISE"))["quote"]
    assert (due(quote), quote["proration"]["amountCents"]) == ((0, 9910), 10)
    changed = await subscriber.change("ENTERPRISE", quote=quote["id"])
    assert (changed["errors"], changed["subscription"]["tier"]) == ([], "ENTERPRISE")
    subscriber.shop.forward(hours=3)
    assert collected(subscriber) == [(9900, 9910), (10, 0), (2900, 2900)]


async def test_what_was_agreed_beside_the_plan_stays_and_gives_no_tier(subscriber: Subscriber) -> None:
    """Three of the plan, and a seat, set up at the provider: charged before and after, as quoted."""
    subscriber.save_card()
    await subscriber.change("ENTERPRISE")
    [made] = subscriber.subscriptions()
    seat = subscriber.client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 500,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Seat"},
        }
    )
    items: Any = [{"id": made["items"].data[0].id, "quantity": 3}, {"price": seat.id}]
    subscriber.client.v1.subscriptions.update(made.id, {"items": items, "proration_behavior": "none"})
    subscriber.shop.forward(days=15)
    down = (await subscriber.preview("PRO"))["quote"]
    assert due(down) == (0, 9200)
    changed = await subscriber.change("PRO", quote=down["id"])
    assert (changed["errors"], changed["subscription"]["scheduledTier"]) == ([], "PRO")
    subscriber.shop.forward(days=15, hours=2)
    await subscriber.bring_up_to_date()
    assert ((await subscriber.seen())["price"], await subscriber.tier()) == ({"formatted": "$87.00"}, "pro")
    up = (await subscriber.preview("ENTERPRISE"))["quote"]
    assert (await subscriber.change("ENTERPRISE", quote=up["id"]))["errors"] == []
    assert await subscriber.tier() == "enterprise"
    paid_at_once = up["dueNow"]["amountCents"]
    assert collected(subscriber) == [(paid_at_once, paid_at_once), (9200, 9200), (9900, 9900)]
