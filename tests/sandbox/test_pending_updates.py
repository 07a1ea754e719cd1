"""Updates that wait for their payment: applied when it comes, discarded when it does not."""

from typing import Any

import pytest
import stripe

from tests.sandbox.test_subscriptions import DAY, Shop, on
from tests.support.stand_in import NEW_YEAR, StandIn

WAITS: Any = {"payment_behavior": "pending_if_incomplete", "proration_behavior": "always_invoice"}
EVENT = "customer.subscription.pending_update_"


@pytest.fixture
def shop(stand_in: StandIn) -> Shop:
    return Shop(stand_in)


@pytest.fixture
def subscribed(shop: Shop) -> stripe.Subscription:
    """Ten days ago, by a card that asks for authentication by now."""
    method = shop.save_card()
    made = shop.subscribe()
    shop.stand_in.pass_days(10)
    shop.stand_in.ask(f"/payment_methods/{method}", card="pm_card_authenticationRequired")
    return made


def price_id(subscription: stripe.Subscription) -> str:
    return subscription["items"].data[0].price.id


def secret_of(shop: Shop, subscription: stripe.Subscription) -> str:
    """The payment intent of the latest invoice."""
    found = shop.client.v1.subscriptions.retrieve(
        subscription.id, {"expand": ["latest_invoice.confirmation_secret"]}
    )
    return str(found["latest_invoice"]["confirmation_secret"]["client_secret"]).partition("_secret_")[0]


def test_what_asks_for_authentication_waits(shop: Shop, subscribed: stripe.Subscription) -> None:
    waiting = shop.change(subscribed, shop.business, **WAITS)
    assert (waiting.status, price_id(waiting)) == ("active", shop.pro.id)
    pending = waiting.pending_update
    assert pending is not None
    assert pending.expires_at == NEW_YEAR + 10 * DAY + 23 * 3600
    assert pending.subscription_items is not None
    assert [item.price.id for item in pending.subscription_items] == [shop.business.id]
    assert (pending.billing_cycle_anchor, pending.trial_end) == (None, None)
    invoice = shop.invoices(subscribed)[-1]
    assert (invoice.id, invoice.status, invoice.amount_due) == (waiting.latest_invoice, "open", 2032)
    assert invoice.next_payment_attempt is None
    assert "invoice.payment_action_required" in shop.types()
    assert not [kind for kind in shop.types() if kind.startswith(EVENT)]
    shop.stand_in.ask(f"/act/{secret_of(shop, waiting)}", action="authenticate")
    applied = shop.get(subscribed)
    assert (applied.pending_update, price_id(applied)) == (None, shop.business.id)
    assert shop.invoices(subscribed)[-1].amount_paid == 2032
    assert [kind for kind in shop.types() if kind.startswith(EVENT)] == [f"{EVENT}applied"]


def test_what_is_paid_at_once_never_waits(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe()
    shop.stand_in.pass_days(10)
    changed = shop.change(made, shop.yearly, **WAITS)
    assert (changed.pending_update, price_id(changed)) == (None, shop.yearly.id)
    assert changed.billing_cycle_anchor == NEW_YEAR + 10 * DAY
    assert changed["items"].data[0].current_period_end == on(2027, 1, 11)
    assert shop.invoices(made)[-1].amount_paid == 18645
    assert not [kind for kind in shop.types() if kind.startswith(EVENT)]


@pytest.mark.parametrize("way", ["time", "voiding", "another", "the end"])
def test_what_is_not_paid_is_discarded(shop: Shop, subscribed: stripe.Subscription, way: str) -> None:
    waiting = shop.change(subscribed, shop.business, **WAITS)
    invoice = str(waiting.latest_invoice)
    if way == "time":
        shop.stand_in.ask("/clock", advance=23 * 3600 - 1)
        assert shop.get(subscribed).pending_update is not None
        shop.stand_in.ask("/clock", advance=1)
    elif way == "voiding":
        shop.client.v1.invoices.void_invoice(invoice)
    elif way == "another":
        shop.change(subscribed, shop.pro, proration_behavior="none")
    else:
        shop.client.v1.subscriptions.cancel(subscribed.id)
    after = shop.get(subscribed)
    assert (after.pending_update, price_id(after)) == (None, shop.pro.id)
    assert after.status == ("canceled" if way == "the end" else "active")
    assert shop.client.v1.invoices.retrieve(invoice).status == "void"
    assert [kind for kind in shop.types() if kind.startswith(EVENT)] == [f"{EVENT}expired"]
    assert shop.stand_in.look("/ledger")["problems"] == []


def test_it_waits_no_longer_than_the_period(shop: Shop, subscribed: stripe.Subscription) -> None:
    shop.stand_in.ask("/clock", now=on(2026, 2, 1) - 20 * 3600)
    waiting = shop.change(subscribed, shop.business, **WAITS)
    assert waiting.pending_update is not None
    assert waiting.pending_update.expires_at == on(2026, 2, 1)
    shop.stand_in.ask("/clock", advance=20 * 3600)
    renewed = shop.get(subscribed)
    assert (renewed.pending_update, price_id(renewed)) == (None, shop.pro.id)
    assert [row.status for row in shop.invoices(subscribed)] == ["paid", "void", "draft"]


def test_what_is_declined_waits_too(shop: Shop, subscribed: stripe.Subscription) -> None:
    shop.save_card("pm_card_chargeCustomerFail")
    waiting = shop.change(subscribed, shop.business, **WAITS)
    assert (waiting.status, waiting.pending_update is None) == ("active", False)
    shop.client.v1.invoices.pay(
        str(waiting.latest_invoice), {"payment_method": shop.save_card("pm_card_mastercard")}
    )
    assert price_id(shop.get(subscribed)) == shop.business.id


def test_what_costs_nothing_is_done(shop: Shop, subscribed: stripe.Subscription) -> None:
    asked: Any = {**WAITS, "proration_behavior": "none"}
    changed = shop.change(subscribed, shop.business, **asked)
    assert (changed.pending_update, price_id(changed)) == (None, shop.business.id)
    assert len(shop.invoices(subscribed)) == 1


def test_other_fields_are_refused(shop: Shop, subscribed: stripe.Subscription) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.change(subscribed, shop.business, **WAITS, cancel_at="")
    assert refused.value.param == "cancel_at"
    with pytest.raises(stripe.InvalidRequestError):
        shop.change(subscribed, shop.business, **WAITS, metadata={"a": "b"})
    assert (shop.get(subscribed).pending_update, len(shop.invoices(subscribed))) == (None, 1)
