"""Subscriptions through the calendar: beginnings, renewals, changes with their exact proration, ends."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tests.support.stand_in import NEW_YEAR, StandIn

DAY = 86400


class Shop:
    """A customer with a card, and three prices."""

    def __init__(self, stand_in: StandIn) -> None:
        self.stand_in = stand_in
        self.client = stand_in.client()
        self.customer = self.client.v1.customers.create({"email": "buyer@example.com"})
        self.pro = self.price(2000, "month", "Pro")
        self.business = self.price(5000, "month", "Business")
        self.yearly = self.price(20000, "year", "Pro yearly")

    def price(self, amount: int, interval: Any, name: str) -> stripe.Price:
        return self.client.v1.prices.create({
            "currency": "usd", "unit_amount": amount, "recurring": {"interval": interval},
            "product_data": {"name": name},
        })  # fmt: skip

    def save_card(self, card: str = "pm_card_visa") -> str:
        method = self.client.v1.payment_methods.attach(card, {"customer": self.customer.id})
        settings: Any = {"default_payment_method": method.id}
        self.client.v1.customers.update(self.customer.id, {"invoice_settings": settings})
        return method.id

    def subscribe(self, price: stripe.Price | None = None, **given: Any) -> stripe.Subscription:
        items = [{"price": (price or self.pro).id}]
        asked: Any = {"customer": self.customer.id, "items": items, **given}
        return self.client.v1.subscriptions.create(asked)

    def get(self, subscription: stripe.Subscription) -> stripe.Subscription:
        return self.client.v1.subscriptions.retrieve(subscription.id)

    def change(
        self, subscription: stripe.Subscription, price: stripe.Price, **given: Any
    ) -> stripe.Subscription:
        item = {"id": subscription["items"].data[0].id, "price": price.id}
        asked: Any = {"items": [item], **given}
        return self.client.v1.subscriptions.update(subscription.id, asked)

    def invoices(self, subscription: stripe.Subscription) -> list[stripe.Invoice]:
        return self.client.v1.invoices.list({"subscription": subscription.id, "limit": 100}).data[::-1]

    def types(self) -> list[str]:
        return [str(event.type) for event in self.client.v1.events.list({"limit": 100}).data][::-1]


@pytest.fixture
def shop(stand_in: StandIn) -> Shop:
    return Shop(stand_in)


def on(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


def period(subscription: stripe.Subscription) -> tuple[int, int]:
    item = subscription["items"].data[0]
    return item.current_period_start, item.current_period_end


def test_default_incomplete_waits_for_its_first_payment(shop: Shop) -> None:
    made = shop.subscribe(
        payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
        expand=["latest_invoice.confirmation_secret", "latest_invoice.payments"],
    )
    invoice = made.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert (made.status, invoice.status, invoice.amount_due) == ("incomplete", "open", 2000)
    assert invoice.confirmation_secret is not None
    assert invoice.payments is not None
    intent_id = str(invoice.payments.data[0].payment.payment_intent)
    assert invoice.confirmation_secret.client_secret.startswith(f"{intent_id}_secret_")
    assert invoice.confirmation_secret.type == "payment_intent"
    with pytest.raises(stripe.CardError):
        shop.client.v1.payment_intents.confirm(intent_id, {"payment_method": "pm_card_chargeDeclined"})
    assert shop.get(made).status == "incomplete"
    shop.client.v1.payment_intents.confirm(intent_id, {"payment_method": "pm_card_visa"})
    active = shop.get(made)
    assert active.status == "active"
    method = shop.client.v1.payment_methods.retrieve(str(active.default_payment_method))
    assert method.customer == shop.customer.id
    paid = shop.client.v1.invoices.retrieve(invoice.id)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 2000, 0)
    assert not hasattr(paid, "payments")  # sent only to who expands it
    assert "customer.subscription.updated" in shop.types()
    assert shop.stand_in.look("/ledger")["problems"] == []


def test_what_waits_for_its_first_payment_is_not_changed(shop: Shop) -> None:
    made = shop.subscribe(payment_behavior="default_incomplete")
    for given in ({"trial_end": NEW_YEAR + 9 * DAY}, {"cancel_at_period_end": True}):
        with pytest.raises(stripe.InvalidRequestError):
            shop.client.v1.subscriptions.update(made.id, given)  # type: ignore[arg-type]  # one of two
    with pytest.raises(stripe.InvalidRequestError):
        shop.change(made, shop.business)
    method = shop.save_card()
    given_method = shop.client.v1.subscriptions.update(made.id, {"default_payment_method": method})
    assert (given_method.default_payment_method, given_method.status) == (method, "incomplete")
    assert given_method["items"].data[0].price.id == shop.pro.id


def test_a_draft_by_hand_does_not_keep_an_unpaid_subscription(shop: Shop) -> None:
    made = shop.subscribe(payment_behavior="default_incomplete")
    shop.client.v1.invoices.create({"customer": shop.customer.id, "subscription": made.id})
    assert shop.stand_in.ask("/clock", days=1)["refused"] == []
    assert shop.get(made).status == "incomplete_expired"


def test_what_is_never_paid_expires_after_23_hours(shop: Shop) -> None:
    made = shop.subscribe(payment_behavior="default_incomplete")
    shop.stand_in.ask("/clock", advance=23 * 3600 - 1)
    assert shop.get(made).status == "incomplete"
    shop.stand_in.ask("/clock", advance=1)
    assert shop.get(made).status == "incomplete_expired"
    assert [row.status for row in shop.invoices(made)] == ["void"]
    assert shop.client.v1.payment_intents.list().data[0].status == "canceled"
    assert shop.client.v1.subscriptions.list({"customer": shop.customer.id}).data == []


def test_error_if_incomplete_leaves_nothing_behind(shop: Shop) -> None:
    shop.save_card("pm_card_chargeCustomerFail")
    before = shop.types()
    with pytest.raises(stripe.CardError):
        shop.subscribe(payment_behavior="error_if_incomplete")
    assert shop.client.v1.subscriptions.list({"status": "all"}).data == []
    assert shop.client.v1.invoices.list().data == []
    assert shop.types() == before
    with pytest.raises(stripe.InvalidRequestError):
        Shop(shop.stand_in).subscribe()  # no payment method at all


def test_renewals_keep_the_anchor_day_through_short_months(shop: Shop) -> None:
    shop.stand_in.ask("/clock", now=on(2026, 1, 31))
    shop.save_card()
    made = shop.subscribe()
    assert made.status == "active"
    assert period(made) == (on(2026, 1, 31), on(2026, 2, 28))
    shop.stand_in.ask("/clock", now=on(2026, 2, 28))
    draft = shop.invoices(shop.get(made))[-1]
    assert (draft.status, draft.billing_reason, draft.amount_due) == ("draft", "subscription_cycle", 2000)
    assert draft.automatically_finalizes_at == on(2026, 2, 28) + 3600
    shop.stand_in.ask("/clock", advance=3600)
    assert shop.invoices(made)[-1].status == "paid"
    shop.stand_in.ask("/clock", now=on(2026, 4, 1))
    assert period(shop.get(made)) == (on(2026, 3, 31), on(2026, 4, 30))
    invoices = shop.invoices(made)
    assert [row.total for row in invoices] == [2000, 2000, 2000]
    assert len({row.number for row in invoices}) == 3
    line = invoices[-1].lines.data[0]
    assert (line.period.start, line.period.end) == (on(2026, 3, 31), on(2026, 4, 30))
    assert line.pricing is not None
    assert line.pricing.price_details is not None
    assert line.pricing.price_details.price == shop.pro.id
    assert invoices[-1].parent is not None
    assert invoices[-1].parent.subscription_details is not None
    assert invoices[-1].parent.subscription_details.subscription == made.id


def test_an_upgrade_is_prorated_to_the_second_and_previewed_exactly(shop: Shop) -> None:
    """31 days in January; after 10 of them 21/31 are left: 1354.84 of 2000 and 3387.10 of 5000."""
    shop.save_card()
    made = shop.subscribe()
    shop.stand_in.pass_days(10)
    item = made["items"].data[0].id
    details: Any = {
        "items": [{"id": item, "price": shop.business.id}], "proration_behavior": "always_invoice",
        "proration_date": NEW_YEAR + 10 * DAY,
    }  # fmt: skip
    preview = shop.client.v1.invoices.create_preview(
        {"subscription": made.id, "subscription_details": details}
    )
    assert [line.amount for line in preview.lines.data] == [-1355, 3387]
    assert (preview.amount_due, preview.status) == (2032, "draft")
    assert shop.get(made)["items"].data[0].price.id == shop.pro.id  # nothing has happened
    assert len(shop.invoices(made)) == 1
    changed = shop.change(
        made, shop.business, proration_behavior="always_invoice", proration_date=details["proration_date"]
    )
    invoice = shop.invoices(changed)[-1]
    assert (invoice.status, invoice.total, invoice.billing_reason) == ("paid", 2032, "subscription_update")
    assert [line.amount for line in invoice.lines.data] == [-1355, 3387]
    parent = invoice.lines.data[0].parent
    assert parent is not None
    assert parent.subscription_item_details is not None
    assert parent.subscription_item_details.proration is True
    assert period(changed) == (NEW_YEAR, on(2026, 2, 1))
    updated = shop.client.v1.events.list({"type": "customer.subscription.updated"}).data
    assert any("items" in (event.data.previous_attributes or {}) for event in updated)


def test_prorations_wait_for_the_renewal_by_default(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe()
    shop.stand_in.pass_days(10)
    shop.change(made, shop.business)
    assert len(shop.invoices(made)) == 1
    pending = shop.client.v1.invoice_items.list({"customer": shop.customer.id, "pending": True}).data
    assert sorted(entry.amount for entry in pending) == [-1355, 3387]
    upcoming = shop.client.v1.invoices.create_preview({"subscription": made.id})
    assert upcoming.total == 5000 + 2032
    shop.stand_in.ask("/clock", now=on(2026, 2, 1) + 3600)
    renewal = shop.invoices(made)[-1]
    assert (renewal.total, renewal.status) == (7032, "paid")
    assert shop.client.v1.invoice_items.list({"customer": shop.customer.id, "pending": True}).data == []


def test_a_downgrade_at_once_leaves_a_credit_that_the_next_invoice_uses(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe(shop.business)
    shop.stand_in.pass_days(10)
    shop.change(made, shop.pro, proration_behavior="always_invoice")
    invoice = shop.invoices(made)[-1]
    assert (invoice.total, invoice.amount_due, invoice.status) == (-2032, 0, "paid")
    assert shop.client.v1.customers.retrieve(shop.customer.id).balance == -2032
    shop.stand_in.ask("/clock", now=on(2026, 2, 1) + 3600)
    renewal = shop.invoices(made)[-1]
    assert (renewal.total, renewal.starting_balance, renewal.amount_due) == (2000, -2032, 0)
    assert renewal.ending_balance == -32
    assert shop.client.v1.customers.retrieve(shop.customer.id).balance == -32


def test_another_interval_begins_a_new_cycle_now(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe()
    shop.stand_in.pass_days(10)
    changed = shop.change(made, shop.yearly)
    assert period(changed) == (NEW_YEAR + 10 * DAY, on(2027, 1, 11))
    invoice = shop.invoices(made)[-1]
    assert [line.amount for line in invoice.lines.data] == [-1355, 20000]
    assert (invoice.total, invoice.status) == (18645, "paid")


def test_none_changes_the_price_without_a_bill(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe()
    shop.stand_in.pass_days(10)
    shop.change(made, shop.business, proration_behavior="none")
    assert shop.client.v1.invoices.create_preview({"subscription": made.id}).total == 5000
    assert len(shop.invoices(made)) == 1


def test_a_failed_upgrade_with_error_if_incomplete_changes_nothing(shop: Shop) -> None:
    method = shop.save_card()
    made = shop.subscribe()
    shop.stand_in.pass_days(10)
    shop.stand_in.ask(f"/payment_methods/{method}", card="pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError):
        shop.change(
            made, shop.business, proration_behavior="always_invoice", payment_behavior="error_if_incomplete"
        )
    same = shop.get(made)
    assert (same.status, same["items"].data[0].price.id) == ("active", shop.pro.id)
    assert len(shop.invoices(made)) == 1


def test_trials_end_in_a_payment(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe(trial_period_days=14)
    assert (made.status, made.trial_end) == ("trialing", NEW_YEAR + 14 * DAY)
    first = shop.invoices(made)[0]
    assert (first.total, first.status, first.billing_reason) == (0, "paid", "subscription_create")
    shop.stand_in.pass_days(11)
    assert shop.types().count("customer.subscription.trial_will_end") == 1
    shop.stand_in.ask("/clock", days=3, advance=3600)
    after = shop.get(made)
    assert (after.status, period(after)) == ("active", (on(2026, 1, 15), on(2026, 2, 15)))
    assert shop.invoices(made)[-1].amount_paid == 2000


@pytest.mark.parametrize(
    ("wish", "status"), [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")]
)
def test_a_trial_without_a_payment_method_ends_as_was_wished(shop: Shop, wish: str, status: str) -> None:
    made = shop.subscribe(
        trial_period_days=7, payment_behavior="default_incomplete",
        trial_settings={"end_behavior": {"missing_payment_method": wish}},
    )  # fmt: skip
    assert made.pending_setup_intent is not None
    shop.stand_in.ask("/clock", days=7, advance=3600)
    assert shop.get(made).status == status
    if wish == "pause":
        assert "customer.subscription.paused" in shop.types()
        shop.save_card()
        shop.client.v1.subscriptions.resume(made.id, {"billing_cycle_anchor": {"type": "now"}})
        assert shop.get(made).status == "active"
        assert "customer.subscription.resumed" in shop.types()
        assert shop.invoices(made)[-1].amount_paid == 2000


def test_a_setup_intent_during_the_trial_pays_afterwards(shop: Shop) -> None:
    made = shop.subscribe(
        trial_period_days=7, payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
    )  # fmt: skip
    shop.stand_in.ask(f"/act/{made.pending_setup_intent}", action="pay", card="pm_card_mastercard")
    assert shop.get(made).pending_setup_intent is None
    shop.stand_in.ask("/clock", days=7, advance=3600)
    assert shop.invoices(made)[-1].status == "paid"


def test_cancel_at_period_end_can_be_taken_back_until_then(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe()
    update = shop.client.v1.subscriptions.update
    ending = update(made.id, {"cancel_at_period_end": True})
    assert (ending.cancel_at_period_end, ending.cancel_at) == (True, on(2026, 2, 1))
    kept = update(made.id, {"cancel_at_period_end": False})
    assert (kept.cancel_at_period_end, kept.cancel_at, kept.canceled_at) == (False, None, None)
    ending = update(made.id, {"cancel_at": "min_period_end"})
    assert (ending.cancel_at_period_end, ending.cancel_at) == (False, on(2026, 2, 1))
    shop.stand_in.ask("/clock", now=on(2026, 2, 1))
    gone = shop.get(made)
    assert (gone.status, gone.ended_at) == ("canceled", on(2026, 2, 1))
    assert len(shop.invoices(made)) == 1
    assert shop.types()[-1] == "customer.subscription.deleted"
    assert gone.cancellation_details is not None
    assert gone.cancellation_details.reason == "cancellation_requested"


def test_cancelling_now_prorates_when_asked(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe()
    shop.stand_in.pass_days(10)
    gone = shop.client.v1.subscriptions.cancel(made.id, {"prorate": True, "invoice_now": True})
    assert gone.status == "canceled"
    assert shop.invoices(made)[-1].total == -1355
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.subscriptions.cancel(made.id)


def test_paused_collection_voids_what_it_skips(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe()
    pause: Any = {"behavior": "void", "resumes_at": on(2026, 2, 15)}
    shop.client.v1.subscriptions.update(made.id, {"pause_collection": pause})
    shop.stand_in.ask("/clock", now=on(2026, 3, 2))
    assert [row.status for row in shop.invoices(made)] == ["paid", "void", "paid"]
    assert shop.get(made).pause_collection is None


def test_a_paused_subscription_does_not_renew(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe()
    shop.stand_in.pass_days(10)
    assert shop.client.v1.subscriptions.pause(made.id).status == "paused"
    shop.stand_in.pass_days(60)
    assert len(shop.invoices(made)) == 1
    resumed = shop.client.v1.subscriptions.resume(made.id)
    assert resumed.status == "active"
    assert period(resumed)[0] == NEW_YEAR + 70 * DAY
    assert shop.invoices(made)[-1].total == 2000 - 1355


@pytest.mark.parametrize(
    ("off_session", "status", "code"),
    [(False, "requires_action", None), (True, "requires_payment_method", "authentication_required")],
)
def test_who_is_there_is_asked_who_is_not_is_declined(
    shop: Shop, off_session: bool, status: str, code: str | None
) -> None:
    shop.save_card("pm_card_authenticationRequired")
    made = shop.subscribe(off_session=off_session)
    assert made.status == "incomplete"
    [intent] = shop.client.v1.payment_intents.list().data
    assert (intent.status, intent.last_payment_error and intent.last_payment_error.code) == (status, code)
    with pytest.raises(stripe.CardError) as refused:
        shop.subscribe(payment_behavior="error_if_incomplete")
    assert refused.value.code == "subscription_payment_intent_requires_action"
