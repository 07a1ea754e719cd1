"""Products, checkout sessions, the portal, connected accounts; and that answers are what the SDK declares."""

from typing import Any

import httpx
import orjson
import pytest
import stripe

from sandbox.rendering import render
from tests.sandbox.test_subscriptions import Shop
from tests.support.shapes import class_of, faults
from tests.support.stand_in import StandIn


@pytest.fixture
def shop(stand_in: StandIn) -> Shop:
    return Shop(stand_in)


def session(shop: Shop, mode: Any = "payment", **given: Any) -> stripe.checkout.Session:
    price: Any = {"currency": "usd", "unit_amount": 4900, "product_data": {"name": "Template <b>pack</b>"}}
    lines: dict[str, Any] = {
        "payment": [{"price_data": price, "quantity": 2}],
        "subscription": [{"price": shop.pro.id, "quantity": 1}],
    }  # fmt: skip
    asked: Any = {"mode": mode, "success_url": "http://shop.test/done?session={CHECKOUT_SESSION_ID}", **given}
    if mode in lines:
        asked["line_items"] = lines[mode]
    return shop.client.v1.checkout.sessions.create(asked)


def press(url: str | None, action: str) -> httpx.Response:
    assert url is not None
    return httpx.post(url, data={"action": action}, follow_redirects=False)


def test_a_person_pays_on_the_checkout_page(shop: Shop) -> None:
    made = session(shop, customer=shop.customer.id, payment_intent_data={"metadata": {"purchase": "p1"}})
    assert (made.status, made.payment_status, made.amount_total) == ("open", "unpaid", 9800)
    assert made.url == f"{shop.stand_in.address}/pay/{made.id}"
    page = httpx.get(made.url)
    assert page.status_code == 200
    assert "98.00 USD" in page.text
    assert "&lt;b&gt;" in page.text
    assert "<script" not in page.text
    declined = press(made.url, "decline")
    assert (declined.status_code, "declined" in declined.text) == (402, True)
    assert shop.client.v1.checkout.sessions.retrieve(made.id).status == "open"
    done = press(made.url, "pay pm_card_visa")
    assert (done.status_code, done.headers["location"]) == (303, f"http://shop.test/done?session={made.id}")
    paid = shop.client.v1.checkout.sessions.retrieve(made.id, {"expand": ["payment_intent", "line_items"]})
    assert (paid.status, paid.payment_status) == ("complete", "paid")
    assert isinstance(paid.payment_intent, stripe.PaymentIntent)
    assert paid.payment_intent.metadata.to_dict() == {"purchase": "p1"}
    assert paid.line_items is not None
    assert paid.line_items.data[0].amount_total == 9800
    assert shop.types()[-1] == "checkout.session.completed"
    assert press(f"{shop.stand_in.address}/pay/{made.id}", "pay pm_card_visa").status_code == 400


def test_a_person_subscribes_on_the_checkout_page(shop: Shop) -> None:
    made = session(
        shop, "subscription", customer=shop.customer.id, subscription_data={"metadata": {"tier": "pro"}}
    )
    press(made.url, "decline")
    assert shop.client.v1.subscriptions.list({"status": "all"}).data == []
    press(made.url, "authenticate")
    done = shop.client.v1.checkout.sessions.retrieve(made.id)
    subscription = shop.client.v1.subscriptions.retrieve(str(done.subscription))
    assert (subscription.status, subscription.metadata.to_dict()) == ("active", {"tier": "pro"})
    assert subscription.default_payment_method is not None


def test_a_session_saves_a_card_or_expires(shop: Shop) -> None:
    made = session(shop, "setup", customer=shop.customer.id)
    press(made.url, "pay pm_card_visa")
    assert len(shop.client.v1.payment_methods.list({"customer": shop.customer.id}).data) == 1
    left = session(shop)
    shop.stand_in.pass_days(1)
    assert shop.client.v1.checkout.sessions.retrieve(left.id).status == "expired"
    assert shop.types()[-1] == "checkout.session.expired"


@pytest.mark.parametrize("mode", ["payment", "subscription"])
@pytest.mark.parametrize(
    ("card", "status", "event"),
    [
        ("pm_usBankAccount", "paid", "async_payment_succeeded"),
        ("pm_usBankAccount_insufficientFunds", "unpaid", "async_payment_failed"),
    ],
)
def test_a_bank_debit_completes_the_session_later(
    shop: Shop, mode: Any, card: str, status: str, event: str
) -> None:
    made = session(shop, mode, customer=shop.customer.id)
    press(made.url, f"pay {card}")
    assert shop.client.v1.checkout.sessions.retrieve(made.id).payment_status == "unpaid"
    assert "invoice.paid" not in shop.types()
    shop.stand_in.pass_days(3)
    assert shop.client.v1.checkout.sessions.retrieve(made.id).payment_status == status
    assert f"checkout.session.{event}" in shop.types()


def test_the_page_of_a_payment_intent_returns_the_person(shop: Shop) -> None:
    made = shop.client.v1.payment_intents.create({"amount": 1234, "currency": "usd"})
    page = f"{shop.stand_in.address}/pay/{made.id}"
    back = {"return_url": "http://shop.test/back"}
    assert "12.34 USD" in httpx.get(page, params=back).text
    asked = httpx.post(page, data={"action": "pay pm_card_authenticationRequired", **back})
    assert asked.headers["location"].startswith(f"/pay/{made.id}")
    assert "Authenticate" in httpx.get(page).text
    done = httpx.post(page, data={"action": "authenticate", **back})
    assert done.headers["location"].startswith(f"http://shop.test/back?payment_intent={made.id}&")
    assert "redirect_status=succeeded" in done.headers["location"]
    unsafe = httpx.get(page, params={"return_url": "javascript:alert(1)"})
    assert "javascript" not in unsafe.text


def test_the_portal_ends_a_subscription_and_takes_it_back(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe()
    portal = shop.client.v1.billing_portal.sessions.create(
        {"customer": shop.customer.id, "return_url": "http://shop.test/account"}
    )
    assert "Cancel at the end" in httpx.get(portal.url).text
    httpx.post(portal.url, data={"subscription": made.id})
    assert shop.get(made).cancel_at_period_end is True
    httpx.post(portal.url, data={"subscription": made.id})
    assert shop.get(made).cancel_at_period_end is False


def test_products_and_prices(shop: Shop) -> None:
    client = shop.client
    product = client.v1.products.create({"name": "Pack", "metadata": {"slug": "pack"}})
    price: Any = {"product": product.id, "currency": "usd", "unit_amount": 4900, "lookup_key": "pack"}
    first = client.v1.prices.create(price)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.prices.create(price)
    price["transfer_lookup_key"] = True
    second = client.v1.prices.create(price)
    assert [row.id for row in client.v1.prices.list({"lookup_keys": ["pack"]}).data] == [second.id]
    assert client.v1.prices.update(first.id, {"active": False}).active is False
    renamed = client.v1.products.update(product.id, {"name": "Bundle", "images": ""})
    assert (renamed.name, renamed.images) == ("Bundle", [])
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.products.delete(product.id)


def test_transfers_need_available_money(shop: Shop) -> None:
    client = shop.client
    account = client.v1.accounts.create(
        {"type": "express", "country": "US", "capabilities": {"transfers": {"requested": True}}}
    )
    transfer: Any = {"amount": 500, "currency": "usd", "destination": account.id, "transfer_group": "march"}
    pay: Any = {
        "amount": 1000,
        "currency": "usd",
        "confirm": True,
        "off_session": True,
        "payment_method": "pm_card_visa",
    }
    client.v1.payment_intents.create(pay)
    with pytest.raises(stripe.InvalidRequestError) as strange:
        client.v1.transfers.create(transfer)
    assert strange.value.code == "insufficient_capabilities_for_transfer"
    shop.stand_in.ask(f"/act/{account.id}", action="onboard")
    with pytest.raises(stripe.InvalidRequestError) as poor:
        client.v1.transfers.create(transfer)
    assert poor.value.code == "balance_insufficient"
    shop.stand_in.pass_days(2)
    made = client.v1.transfers.create(transfer)
    assert (made.amount, made.destination, made.reversed) == (500, account.id, False)
    assert client.v1.balance.retrieve().available[0].amount == 1000 - 59 - 500
    client.v1.transfers.reversals.create(made.id, {"amount": 200})
    assert client.v1.transfers.retrieve(made.id).amount_reversed == 200
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.transfers.reversals.create(made.id, {"amount": 301})


def test_an_account_is_onboarded_on_the_page_it_is_sent_to(shop: Shop) -> None:
    accounts = shop.client.v1.accounts
    account = accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
    assert (account.details_submitted, account.payouts_enabled) == (False, False)
    link: Any = {
        "account": account.id,
        "refresh_url": "http://shop.test/again",
        "return_url": "http://shop.test/done?tab=money",
        "type": "account_onboarding",
    }
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.account_links.create({**link, "return_url": "ftp://shop.test"})
    url = shop.client.v1.account_links.create(link).url
    assert "asked" in shop.stand_in.control.get(url).text
    left = shop.stand_in.control.post(url)
    assert (left.status_code, left.headers["location"]) == (303, link["return_url"])
    done = accounts.retrieve(account.id)
    assert done.capabilities is not None
    assert (done.capabilities.transfers, done.details_submitted) == ("active", True)
    assert "can be paid" in shop.stand_in.control.get(url).text
    shop.stand_in.ask(f"/act/{account.id}", action="restrict")
    assert accounts.retrieve(account.id).payouts_enabled is False
    assert shop.stand_in.control.get(f"{shop.stand_in.address}/connect/acct_0").status_code == 404


def test_a_deleted_customer_loses_everything_that_was_running(shop: Shop) -> None:
    shop.save_card()
    made = shop.subscribe()
    shop.client.v1.customers.delete(shop.customer.id)
    assert shop.client.v1.customers.retrieve(shop.customer.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError) as gone:
        shop.client.v1.customers.update(shop.customer.id, {"name": "B"})
    assert gone.value.http_status == 404
    assert shop.get(made).status == "canceled"
    assert {"customer.deleted", "customer.subscription.deleted", "payment_method.detached"} <= set(
        shop.types()
    )
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.payment_intents.create(
            {"amount": 500, "currency": "usd", "customer": shop.customer.id}
        )


def test_every_object_has_the_shape_that_the_sdk_declares(shop: Shop) -> None:
    """After a busy month, nothing stored lacks a field that is always there, and nothing has an unknown one."""
    shop.save_card()
    coupon = shop.client.v1.coupons.create({"percent_off": 10, "duration": "forever"})
    made = shop.subscribe(discounts=[{"coupon": coupon.id}])
    shop.client.v1.subscription_schedules.create({"from_subscription": made.id})
    shop.client.v1.subscriptions.pause(shop.subscribe().id, {"type": "subscription"})
    shop.stand_in.ask("/clock", days=32)
    charge = shop.client.v1.charges.list().data[0]
    shop.client.v1.refunds.create({"charge": charge.id, "amount": 100})
    shop.stand_in.ask("/disputes", charge=shop.client.v1.charges.list().data[1].id)
    press(session(shop).url, "pay pm_card_visa")
    press(session(shop).url, "pay pm_usBankAccount")
    shop.client.v1.setup_intents.create({"customer": shop.customer.id})
    shop.client.v1.invoice_items.create({"customer": shop.customer.id, "amount": 5, "currency": "usd"})
    shop.client.v1.accounts.create({"type": "express"})
    tables = shop.stand_in.sandbox.world.tables
    found = {
        fault
        for kind, rows in tables.items()
        for row in rows.values()
        for fault in faults(orjson.loads(orjson.dumps(render(row))), class_of(kind), kind)
    }
    assert sorted(found) == []
    assert len(tables) > 20
