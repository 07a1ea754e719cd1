"""A renewal that fails, told through the calendar: retries after 2, 5, 7 and 7 days, recovery, the end."""

from datetime import UTC, datetime

import pytest
import stripe

from tests.sandbox.test_subscriptions import Shop
from tests.support.stand_in import StandIn

FEBRUARY = int(datetime(2026, 2, 1, 1, tzinfo=UTC).timestamp())  # when the renewal's invoice becomes final
DAY = 86400


@pytest.fixture
def failing(stand_in: StandIn) -> tuple[Shop, stripe.Subscription, str]:
    """A subscription whose card stopped working before its first renewal."""
    shop = Shop(stand_in)
    method = shop.save_card()
    made = shop.subscribe()
    stand_in.ask(f"/payment_methods/{method}", card="pm_card_chargeCustomerFail")
    stand_in.ask("/clock", now=FEBRUARY)
    return shop, made, method


def test_every_retry_comes_on_its_day_and_then_the_subscription_ends(
    failing: tuple[Shop, stripe.Subscription, str],
) -> None:
    shop, made, _ = failing
    at = FEBRUARY
    for attempt, wait in enumerate([2, 5, 7, 7], start=1):
        invoice = shop.invoices(made)[-1]
        assert (invoice.status, invoice.attempt_count) == ("open", attempt)
        assert invoice.next_payment_attempt == at + wait * DAY
        assert shop.get(made).status == "past_due"
        at += wait * DAY
        shop.stand_in.ask("/clock", now=at - 1)
        assert shop.invoices(made)[-1].attempt_count == attempt
        shop.stand_in.ask("/clock", now=at)
    invoice = shop.invoices(made)[-1]
    assert (invoice.attempt_count, invoice.next_payment_attempt, invoice.status) == (5, None, "open")
    gone = shop.get(made)
    assert gone.status == "canceled"
    assert gone.cancellation_details is not None
    assert gone.cancellation_details.reason == "payment_failed"
    assert shop.types().count("invoice.payment_failed") == 5
    charges = shop.client.v1.charges.list({"limit": 100}).data
    assert [charge.status for charge in charges].count("failed") == 5
    shop.stand_in.pass_days(60)
    assert len(shop.invoices(made)) == 2


def test_a_retry_that_succeeds_brings_it_back(failing: tuple[Shop, stripe.Subscription, str]) -> None:
    shop, made, method = failing
    shop.stand_in.ask(f"/payment_methods/{method}", card="pm_card_visa")
    shop.stand_in.pass_days(2)
    assert shop.get(made).status == "active"
    invoice = shop.invoices(made)[-1]
    assert (invoice.status, invoice.attempt_count, invoice.next_payment_attempt) == ("paid", 2, None)
    assert shop.stand_in.look("/ledger")["problems"] == []


def test_paying_by_hand_recovers_at_any_time_and_does_not_count_as_a_retry(
    failing: tuple[Shop, stripe.Subscription, str],
) -> None:
    shop, made, _ = failing
    invoice = shop.invoices(made)[-1]
    with pytest.raises(stripe.CardError):
        shop.client.v1.invoices.pay(invoice.id, {"off_session": False})
    assert shop.invoices(made)[-1].attempt_count == 1
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_mastercard"})
    other = shop.client.v1.payment_methods.attach("pm_card_mastercard", {"customer": shop.customer.id})
    paid = shop.client.v1.invoices.pay(invoice.id, {"payment_method": other.id})
    assert (paid.status, shop.get(made).status) == ("paid", "active")
    with pytest.raises(stripe.InvalidRequestError) as again:
        shop.client.v1.invoices.pay(invoice.id)
    assert again.value.code == "invoice_already_paid"


def test_unpaid_keeps_making_drafts_that_nobody_collects(stand_in: StandIn) -> None:
    stand_in.ask("/settings", after_last_retry="unpaid", retry_days=[1])
    shop = Shop(stand_in)
    method = shop.save_card()
    made = shop.subscribe()
    stand_in.ask(f"/payment_methods/{method}", card="pm_card_chargeCustomerFail")
    stand_in.ask("/clock", now=FEBRUARY + DAY)
    assert shop.get(made).status == "unpaid"
    stand_in.pass_days(30)
    assert [row.status for row in shop.invoices(made)] == ["paid", "open", "draft"]


def test_a_renewal_that_needs_authentication_asks_for_the_customer(stand_in: StandIn) -> None:
    shop = Shop(stand_in)
    method = shop.save_card()
    made = shop.subscribe()
    stand_in.ask(f"/payment_methods/{method}", card="pm_card_authenticationRequired")
    stand_in.ask("/clock", now=FEBRUARY)
    assert shop.get(made).status == "past_due"
    assert "invoice.payment_action_required" in shop.types()
    invoice = shop.client.v1.invoices.retrieve(shop.invoices(made)[-1].id, {"expand": ["payments"]})
    assert invoice.payments is not None
    stand_in.ask(f"/act/{invoice.payments.data[0].payment.payment_intent}", action="authenticate")
    assert shop.get(made).status == "active"
    assert shop.invoices(made)[-1].status == "paid"
