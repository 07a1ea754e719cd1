"""Invoices by hand, discounts and taxes in exact minor units, previews, and who may change what when."""

from typing import Any

import pytest
import stripe

from tests.sandbox.test_subscriptions import Shop
from tests.support.stand_in import NEW_YEAR, StandIn

DAY = 86400


@pytest.fixture
def shop(stand_in: StandIn) -> Shop:
    return Shop(stand_in)


def draft(shop: Shop, *amounts: int, **given: Any) -> stripe.Invoice:
    asked: Any = {"customer": shop.customer.id, "currency": "usd", **given}
    invoice = shop.client.v1.invoices.create(asked)
    for amount in amounts:
        item: Any = {
            "customer": shop.customer.id, "invoice": invoice.id, "amount": amount, "currency": "usd",
            "description": "Support package",
        }  # fmt: skip
        shop.client.v1.invoice_items.create(item)
    return shop.client.v1.invoices.retrieve(invoice.id)


def test_an_invoice_by_hand_is_drafted_finalized_and_paid(shop: Shop) -> None:
    invoice = draft(shop, 15000, 2500)
    assert (invoice.status, invoice.total, invoice.number) == ("draft", 17500, None)
    final = shop.client.v1.invoices.finalize_invoice(invoice.id)
    assert (final.status, final.amount_due, final.attempt_count) == ("open", 17500, 0)
    assert final.number is not None
    with pytest.raises(stripe.InvalidRequestError) as fixed:
        shop.client.v1.invoice_items.create(
            {"customer": shop.customer.id, "invoice": invoice.id, "amount": 1, "currency": "usd"}
        )
    assert fixed.value.code == "invoice_not_editable"
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.invoices.pay(invoice.id)  # no payment method
    shop.save_card()
    paid = shop.client.v1.invoices.pay(invoice.id)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 17500, 0)
    payments = shop.client.v1.invoice_payments.list({"invoice": invoice.id}).data
    assert [(row.status, row.amount_paid, row.is_default) for row in payments] == [("paid", 17500, True)]
    assert paid.status_transitions.paid_at == NEW_YEAR


def test_an_invoice_shows_ten_of_its_lines(shop: Shop) -> None:
    invoice = shop.client.v1.invoices.create({"customer": shop.customer.id, "currency": "usd"})
    for number in range(12):
        item: Any = {"customer": shop.customer.id, "invoice": invoice.id, "amount": number, "currency": "usd"}
        shop.client.v1.invoice_items.create(item)
    shown = shop.client.v1.invoices.finalize_invoice(invoice.id)
    assert (shown.total, len(shown.lines.data), shown.lines.has_more) == (66, 10, True)
    assert [line.amount for line in shown.lines.auto_paging_iter()] == list(range(12))


def test_currencies_and_customers_are_never_mixed(shop: Shop) -> None:
    invoice = draft(shop, 100)
    other = shop.client.v1.customers.create()
    for given in ({"currency": "eur"}, {"customer": other.id, "currency": "usd"}):
        item: Any = {"customer": shop.customer.id, "invoice": invoice.id, "amount": 100, **given}
        with pytest.raises(stripe.InvalidRequestError):
            shop.client.v1.invoice_items.create(item)
    assert shop.client.v1.invoices.retrieve(invoice.id).total == 100
    shop.save_card()
    made = shop.subscribe()
    price: Any = {"currency": "eur", "unit_amount": 9, "product": shop.pro.product}
    euros = shop.client.v1.prices.create({**price, "recurring": {"interval": "month"}})
    with pytest.raises(stripe.InvalidRequestError, match="doesn't match the expected currency"):
        shop.change(made, euros)
    coupon = shop.client.v1.coupons.create({"amount_off": 100, "currency": "eur"})
    with pytest.raises(stripe.InvalidRequestError, match="The currency of this coupon is eur, not usd"):
        shop.client.v1.subscriptions.update(made.id, {"discounts": [{"coupon": coupon.id}]})
    shop.stand_in.ask(f"/customers/{shop.customer.id}/discount", coupon=coupon.id)
    assert shop.client.v1.invoices.create_preview({"subscription": made.id}).total == 2000


def test_lines_come_in_pages(shop: Shop) -> None:
    invoice = draft(shop, 100, 200, 300)
    first = shop.client.v1.invoices.line_items.list(invoice.id, {"limit": 2})
    assert ([line.amount for line in first.data], first.has_more) == ([100, 200], True)
    for wrong in (0, 101):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            shop.client.v1.invoices.line_items.list(invoice.id, {"limit": wrong})
        assert refused.value.param == "limit"


def test_void_uncollectible_out_of_band_and_delete(shop: Shop) -> None:
    finalize = shop.client.v1.invoices.finalize_invoice
    voided = shop.client.v1.invoices.void_invoice(finalize(draft(shop, 900).id).id)
    assert voided.status == "void"
    given_up = shop.client.v1.invoices.mark_uncollectible(finalize(draft(shop, 900).id).id)
    assert given_up.status == "uncollectible"
    by_cheque = shop.client.v1.invoices.pay(finalize(draft(shop, 900).id).id, {"paid_out_of_band": True})
    assert (by_cheque.status, by_cheque.amount_paid_off_stripe) == ("paid", 900)
    gone = draft(shop, 900)
    assert shop.client.v1.invoices.delete(gone.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.invoices.retrieve(gone.id)
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.invoices.delete(voided.id)
    assert shop.client.v1.charges.list().data == []
    assert shop.stand_in.look("/ledger")["problems"] == []


def test_an_invoice_by_mail_has_a_due_date_and_becomes_overdue(shop: Shop) -> None:
    invoice = draft(shop, 5000, collection_method="send_invoice", days_until_due=14, auto_advance=True)
    sent = shop.client.v1.invoices.send_invoice(invoice.id)
    assert (sent.status, sent.due_date) == ("open", NEW_YEAR + 14 * DAY)
    shop.stand_in.pass_days(14)
    assert "invoice.overdue" in shop.types()
    assert shop.client.v1.charges.list().data == []


def test_coupons_take_a_percentage_or_an_amount_once_or_for_months(shop: Shop) -> None:
    shop.save_card()
    third = shop.client.v1.coupons.create({"percent_off": 33.33, "duration": "once"})
    made = shop.subscribe(discounts=[{"coupon": third.id}], expand=["latest_invoice"])
    invoice = made.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert invoice.total == 2000 - 667  # 666.6
    assert invoice.total_discount_amounts is not None
    assert [entry.amount for entry in invoice.total_discount_amounts] == [667]
    fixed = shop.client.v1.coupons.create(
        {"amount_off": 500, "currency": "usd", "duration": "repeating", "duration_in_months": 2}
    )
    shop.client.v1.subscriptions.update(made.id, {"discounts": [{"coupon": fixed.id}]})
    shop.stand_in.pass_days(95)
    assert [row.total for row in shop.invoices(made)] == [1333, 1500, 2000, 2000]
    assert shop.client.v1.coupons.retrieve(third.id).times_redeemed == 1


def test_a_customers_own_discount_is_inherited_and_spent(shop: Shop) -> None:
    shop.save_card()
    coupon = shop.client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    shop.stand_in.ask(f"/customers/{shop.customer.id}/discount", coupon=coupon.id)
    shop.client.v1.coupons.delete(coupon.id)
    new: Any = {"customer": shop.customer.id, "subscription_details": {"items": [{"price": shop.pro.id}]}}
    shown = shop.client.v1.invoices.create_preview({**new, "expand": ["discounts.source.coupon"]})
    [discount] = shown.discounts
    assert isinstance(discount, stripe.Discount)
    assert isinstance(discount.source.coupon, stripe.Coupon)
    assert (shown.total, discount.source.coupon.duration, discount.source.coupon.valid) == (
        1000,
        "once",
        False,
    )
    for kept, total in (("", 2000), ([{"discount": discount.id}], 1000)):
        assert shop.client.v1.invoices.create_preview({**new, "discounts": kept}).total == total
    other = shop.client.v1.customers.create()
    with pytest.raises(stripe.InvalidRequestError, match="not on the object"):
        shop.client.v1.invoices.create_preview(
            {**new, "customer": other.id, "discounts": [{"discount": discount.id}]}
        )
    made = shop.subscribe()
    shop.stand_in.pass_days(32)
    assert [row.total for row in shop.invoices(made)] == [1000, 2000]
    assert shop.client.v1.customers.retrieve(shop.customer.id).discount is None


def test_a_preview_from_now_on_has_the_subscriptions_discounts_and_taxes(shop: Shop) -> None:
    shop.save_card()
    rate = shop.client.v1.tax_rates.create({"display_name": "VAT", "percentage": 10, "inclusive": False})
    coupon = shop.client.v1.coupons.create({"percent_off": 50, "duration": "forever"})
    made = shop.subscribe(discounts=[{"coupon": coupon.id}], default_tax_rates=[rate.id])
    shop.stand_in.pass_days(10)
    details: Any = {"proration_behavior": "none", "billing_cycle_anchor": {"type": "now"}}
    asked: Any = {"subscription": made.id, "subscription_details": details}
    shown = shop.client.v1.invoices.create_preview(asked)
    assert (shown.total, shown.lines.data[0].period.start) == (1100, NEW_YEAR + 10 * DAY)
    assert shop.client.v1.invoices.create_preview({**asked, "discounts": ""}).total == 2200


def test_promotion_codes_are_found_redeemed_and_used_up(shop: Shop) -> None:
    shop.save_card()
    coupon = shop.client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    code = shop.client.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "SPRING", "max_redemptions": 1}
    )
    assert [row.id for row in shop.client.v1.promotion_codes.list({"code": "spring"}).data] == [code.id]
    made = shop.subscribe(discounts=[{"promotion_code": code.id}], expand=["discounts", "latest_invoice"])
    assert isinstance(made.latest_invoice, stripe.Invoice)
    assert made.latest_invoice.total == 1000
    with pytest.raises(stripe.InvalidRequestError) as spent:
        shop.subscribe(discounts=[{"promotion_code": code.id}])
    assert spent.value.code == "promotion_code_expired"


@pytest.mark.parametrize(("inclusive", "total", "tax"), [(False, 1999 + 380, 380), (True, 1999, 319)])
def test_taxes_are_added_or_inside(shop: Shop, inclusive: bool, total: int, tax: int) -> None:
    rate = shop.client.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": inclusive})
    invoice = draft(shop, 1999, default_tax_rates=[rate.id])
    assert (invoice.total, invoice.subtotal) == (total, 1999)
    assert invoice.total_taxes is not None
    assert [entry.amount for entry in invoice.total_taxes] == [tax]
    assert invoice.lines.data[0].taxes is not None
    assert invoice.lines.data[0].taxes[0].amount == tax


def test_a_preview_of_a_new_subscription_makes_nothing(shop: Shop) -> None:
    before = shop.stand_in.look("")["objects"]
    details: Any = {"items": [{"price": shop.pro.id, "quantity": 3}]}
    preview = shop.client.v1.invoices.create_preview(
        {"customer": shop.customer.id, "subscription_details": details}
    )
    assert (preview.total, preview.id[:9]) == (6000, "upcoming_")
    assert shop.stand_in.look("")["objects"] == before


def test_a_preview_and_its_lines_can_be_looked_up_for_three_days(shop: Shop) -> None:
    items: Any = [{"amount": number, "currency": "usd"} for number in range(11)]
    asked: Any = {"items": [{"price": shop.pro.id}]}
    preview = shop.client.v1.invoices.create_preview(
        {"customer": shop.customer.id, "subscription_details": asked, "invoice_items": items}
    )
    assert (preview.total, len(preview.lines.data), preview.lines.has_more) == (2055, 10, True)
    expected = [2000, *range(11)]
    assert [line.amount for line in preview.lines.auto_paging_iter()] == expected
    listed = shop.client.v1.invoices.line_items.list(preview.id)
    assert [line.amount for line in listed.auto_paging_iter()] == expected
    shown = shop.client.v1.invoices.retrieve(preview.id, {"expand": ["payments", "confirmation_secret"]})
    assert (shown.total, shown.status, shown.payments.data) == (2055, "draft", [])  # type: ignore[union-attr]  # expanded
    assert shop.client.v1.invoices.list().data == []
    shop.stand_in.pass_days(3)
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.invoices.retrieve(preview.id)


def test_upcoming_is_announced_a_week_ahead(shop: Shop) -> None:
    shop.save_card()
    shop.subscribe()
    shop.stand_in.pass_days(24)
    event = shop.client.v1.events.list({"type": "invoice.upcoming"}).data[0]
    assert event.data.object["total"] == 2000
    assert event.created == NEW_YEAR + 24 * DAY


def test_items_by_unit_and_quantity(shop: Shop) -> None:
    invoice = draft(shop)

    def add(unit: str, quantity: int) -> Any:
        item: Any = {
            "customer": shop.customer.id, "invoice": invoice.id, "currency": "usd", "quantity": quantity,
            "unit_amount_decimal": unit, "description": "Training",
        }  # fmt: skip
        return shop.client.v1.invoice_items.create(item)

    add("1250", 3)
    add("-500", 1)
    lines = shop.client.v1.invoices.retrieve(invoice.id).lines.data
    assert [(line.amount, line.quantity) for line in lines] == [(3750, 3), (-500, 1)]
    assert lines[0].pricing is not None
    assert str(lines[0].pricing.unit_amount_decimal) == "1250"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        add("0.5", 1)
    assert refused.value.code == "sandbox_not_covered"
