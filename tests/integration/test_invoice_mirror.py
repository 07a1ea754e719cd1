"""The provider's invoices, mirrored: their numbers as they are, and what follows from them once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.db.models import Invoice, InvoiceLine, Payment, ReceiptCounter
from app.domain.settlement import Kind, Target
from app.settlement import checks
from app.settlement.syncing import sync
from tests.support.clients import sign_up
from tests.support.invoicing import Billed, make_billed
from tests.support.payments import Shop

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AMOUNTS = (
    "subtotal_cents", "discount_cents", "tax_cents", "tax_included_cents", "adjustment_cents", "total_cents",
    "amount_due_cents", "amount_paid_cents",
)  # fmt: skip


@pytest.fixture
async def billed(shop: Shop) -> Billed:
    return await make_billed(shop)


def amounts(invoice: Any) -> list[int]:
    return [getattr(invoice, name) for name in AMOUNTS]


async def test_a_draft_that_is_deleted_is_void(billed: Billed) -> None:
    draft = billed.client.v1.invoices.create({"customer": billed.customer, "currency": "usd"})
    await sync(billed.shop.api.deps.tools, Target(Kind.INVOICE, draft.id))
    assert (await billed.mirror(draft.id)).status == "draft"
    billed.client.v1.invoices.delete(draft.id)
    for _ in range(2):
        await sync(billed.shop.api.deps.tools, Target(Kind.INVOICE, draft.id))
        invoice = await billed.mirror(draft.id)
        assert (invoice.status, invoice.number, invoice.receipt_number) == ("void", None, None)
    await sync(billed.shop.api.deps.tools, Target(Kind.INVOICE, "in_never_heard_of"))


async def test_a_paid_invoice_of_a_subscription(billed: Billed) -> None:
    billed.save_card()
    subscription, invoice_id = await billed.subscribe()
    await billed.sync(subscription)
    invoice = await billed.mirror(invoice_id)
    assert amounts(invoice) == [2900, 0, 0, 0, 0, 2900, 2900, 2900]
    assert (invoice.user_id, invoice.status, invoice.currency) == (billed.user_id, "paid", "USD")
    assert invoice.subscription_id == (await billed.rows())[-1].id
    assert str(invoice.number).endswith("-0001")
    assert (invoice.receipt_number, invoice.attempt_count) == ("RG-2026-000001", 1)
    assert invoice.created_at == invoice.issued_at == invoice.paid_at == NOW
    assert (invoice.due_at, invoice.next_attempt_at) == (None, None)
    assert (invoice.period_start, invoice.period_end) == (NOW, datetime(2026, 12, 22, 12, tzinfo=UTC))
    assert invoice.hosted_url == f"{billed.shop.stand_in.address}/pay/{invoice_id}"
    (line,) = await billed.lines(invoice)
    assert (line.quantity, line.unit_amount_cents, line.amount_cents) == (1, 2900, 2900)
    assert (line.discount_cents, line.tax_cents, line.is_proration) == (0, 0, False)
    assert line.description == "1 × Pro (at 29.00 USD / month)"
    assert line.stripe_price_id == await billed.price()
    (payment,) = await billed.payments()
    assert (payment.invoice_id, payment.purchase_id, payment.status) == (invoice.id, None, "succeeded")
    assert (payment.amount_cents, payment.refunded_cents, payment.currency) == (2900, 0, "USD")
    assert payment.check_at == NOW  # to be looked at as a payment, with its charges
    assert await billed.facts() == [("invoice.paid", {"invoice_id": str(invoice.id)})]


async def test_looking_again_changes_nothing_and_tells_nothing(billed: Billed) -> None:
    billed.save_card()
    _, invoice_id = await billed.subscribe()
    first = await billed.mirror(invoice_id)
    payments, facts = await billed.payments(), await billed.facts()
    billed.shop.forward(hours=1)
    assert await billed.mirror(invoice_id) == first
    assert (await billed.payments(), await billed.facts()) == (payments, facts)
    assert len(await billed.lines(first)) == 1
    (counter,) = await billed.all(ReceiptCounter)
    assert counter.last_number == 1


async def test_many_at_once_are_one(billed: Billed) -> None:
    billed.save_card()
    _, invoice_id = await billed.subscribe()
    await asyncio.gather(*(billed.mirror(invoice_id) for _ in range(4)))
    assert [row.receipt_number for row in await billed.all(Invoice)] == ["RG-2026-000001"]
    assert (len(await billed.payments()), len(await billed.facts())) == (1, 1)


async def test_discounts_and_taxes_are_the_providers(billed: Billed) -> None:
    coupon = billed.client.v1.coupons.create({"percent_off": 25, "duration": "once"})
    rate = billed.client.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": False})
    invoice_id = billed.make(1001, 2000, discounts=[{"coupon": coupon.id}], default_tax_rates=[rate.id])
    invoice = await billed.mirror(invoice_id)
    first, second = await billed.lines(invoice)
    assert [(line.amount_cents, line.discount_cents, line.tax_cents) for line in (first, second)] == [
        (1001, 250, 143),
        (2000, 500, 285),
    ]
    assert amounts(invoice) == [3001, 750, 428, 0, 0, 2679, 2679, 0]
    assert (invoice.status, invoice.due_at) == ("open", NOW + timedelta(days=14))
    assert invoice.period_start is None
    assert await billed.facts() == [("invoice.issued", {"invoice_id": str(invoice.id)})]


async def test_included_taxes_are_not_added(billed: Billed) -> None:
    rate = billed.client.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": True})
    invoice = await billed.mirror(billed.make(1190, default_tax_rates=[rate.id]))
    assert amounts(invoice) == [1190, 0, 190, 190, 0, 1190, 1190, 0]


async def test_credits_are_negative_and_go_to_the_balance(billed: Billed) -> None:
    rate = billed.client.v1.tax_rates.create({"display_name": "VAT", "percentage": 10, "inclusive": False})
    invoice = await billed.mirror(billed.make(500, -2000, 0, default_tax_rates=[rate.id]))
    assert amounts(invoice) == [-1500, 0, -150, 0, 0, -1650, 0, 0]
    assert [line.amount_cents for line in await billed.lines(invoice)] == [500, -2000, 0]
    assert (invoice.status, invoice.receipt_number) == ("paid", None)
    assert await billed.facts() == []
    used = await billed.mirror(billed.make(5000))
    assert amounts(used) == [5000, 0, 0, 0, 0, 5000, 3350, 0]


async def test_a_change_of_plan_is_prorated(billed: Billed) -> None:
    billed.save_card()
    subscription, _ = await billed.subscribe()
    billed.shop.forward(days=15)
    item = billed.client.v1.subscriptions.retrieve(subscription)["items"]["data"][0]["id"]
    price = billed.client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 9900,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Large"},
        }
    )
    changed = billed.client.v1.subscriptions.update(
        subscription, {"items": [{"id": item, "price": price.id}], "proration_behavior": "always_invoice"}
    )
    invoice = await billed.mirror(str(changed.latest_invoice))
    lines = await billed.lines(invoice)
    assert [(line.amount_cents, line.is_proration) for line in lines] == [(-1450, True), (4950, True)]
    assert (invoice.total_cents, invoice.amount_paid_cents, invoice.status) == (3500, 3500, "paid")


async def test_two_hundred_lines(billed: Billed) -> None:
    invoice = await billed.mirror(billed.make(*range(100, 300)))
    assert [line.amount_cents for line in await billed.lines(invoice)] == list(range(100, 300))
    assert invoice.total_cents == sum(range(100, 300))


async def test_an_invoice_that_comes_before_its_subscription_is_found_by_it(billed: Billed) -> None:
    billed.save_card()
    subscription, invoice_id = await billed.subscribe()
    early = await billed.mirror(invoice_id)
    assert (early.subscription_id, early.stripe_subscription_id) == (None, subscription)
    await billed.sync(subscription)
    (row,) = await billed.all(Invoice)
    assert row.subscription_id == (await billed.rows())[-1].id


async def test_a_trial_costs_nothing_and_needs_no_receipt(billed: Billed) -> None:
    _, invoice_id = await billed.subscribe(trial_period_days=14)
    invoice = await billed.mirror(invoice_id)
    assert (invoice.status, invoice.total_cents, invoice.receipt_number) == ("paid", 0, None)
    assert (await billed.facts(), await billed.payments(), await billed.all(ReceiptCounter)) == ([], [], [])


async def test_the_first_payment_of_a_new_subscription_is_its_makers_to_see(billed: Billed) -> None:
    billed.save_card("pm_card_chargeCustomerFail")
    _, invoice_id = await billed.subscribe()
    invoice = await billed.mirror(invoice_id)
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    assert await billed.facts() == []
    (payment,) = await billed.payments()
    assert payment.status == "requires_payment_method"


async def test_each_failed_collection_is_told_once(billed: Billed) -> None:
    card = billed.save_card()
    subscription, _ = await billed.subscribe()
    billed.shop.stand_in.ask(f"/payment_methods/{card}", card="pm_card_chargeCustomerFail")
    billed.shop.forward(days=30, hours=2)
    renewal = str(billed.client.v1.subscriptions.retrieve(subscription).latest_invoice)
    seen = []
    for days in (0, 2, 5, 7, 7):
        billed.shop.forward(days=days)
        invoice = await billed.mirror(renewal)
        await billed.mirror(renewal)
        seen.append((invoice.attempt_count, invoice.next_attempt_at))
    steps = [NOW + timedelta(days=30, hours=1) + timedelta(days=days) for days in (2, 7, 14, 21)]
    assert seen == [(1, steps[0]), (2, steps[1]), (3, steps[2]), (4, steps[3]), (5, None)]
    told = [("invoice.payment_failed", {"invoice_id": str(invoice.id), "attempt": n}) for n in range(1, 6)]
    assert await billed.facts() == told
    assert len(await billed.payments()) == 1


async def test_a_missed_step_is_not_made_up_for(billed: Billed) -> None:
    card = billed.save_card()
    subscription, _ = await billed.subscribe()
    billed.shop.stand_in.ask(f"/payment_methods/{card}", card="pm_card_chargeCustomerFail")
    billed.shop.forward(days=38)
    renewal = str(billed.client.v1.subscriptions.retrieve(subscription).latest_invoice)
    invoice = await billed.mirror(renewal)
    assert await billed.facts() == [
        ("invoice.payment_failed", {"invoice_id": str(invoice.id), "attempt": invoice.attempt_count})
    ]
    assert invoice.attempt_count == 3
    billed.shop.stand_in.ask(f"/payment_methods/{card}", card="pm_card_visa")
    billed.shop.forward(days=7)
    paid = await billed.mirror(renewal)
    assert (paid.status, paid.receipt_number) == ("paid", "RG-2027-000001")
    assert [topic for topic, _ in await billed.facts()] == ["invoice.payment_failed", "invoice.paid"]


async def test_bank_debits_are_not_told_as_failed_while_they_are_on_their_way(billed: Billed) -> None:
    billed.save_card("pm_usBankAccount")
    subscription, invoice_id = await billed.subscribe()
    billed.shop.forward(days=30, hours=2)
    renewal = str(billed.client.v1.subscriptions.retrieve(subscription).latest_invoice)
    invoice = await billed.mirror(renewal)
    assert renewal != invoice_id
    assert (invoice.status, [row.status for row in await billed.payments()]) == ("open", ["processing"])
    assert await billed.facts() == []


async def test_a_payment_that_waits_for_days_is_not_withdrawn(billed: Billed) -> None:
    """As one of a purchase is, which nobody makes: this one is the provider's to collect."""
    key = billed.make(4_000)
    billed.shop.forward(days=3)
    await billed.mirror(key)
    assert await checks.settle_due(billed.shop.api.deps.tools) == 1
    (row,) = await billed.payments()
    assert (row.status, row.check_at) == ("requires_payment_method", None)
    (intent,) = billed.client.v1.payment_intents.list({"customer": billed.customer}).data
    assert intent.status == "requires_payment_method"


async def test_a_payment_that_moved_on_is_looked_at_again(billed: Billed) -> None:
    invoice_id = billed.make(2900)
    await billed.mirror(invoice_id)
    (before,) = await billed.payments()
    async with billed.shop.api.deps.database.transaction() as connection:
        await connection.execute(Payment.__table__.update().values(check_at=None))
    await billed.mirror(invoice_id)
    assert [row.check_at for row in await billed.payments()] == [None]
    billed.shop.act(before.stripe_payment_intent_id, "pay", card="pm_card_visa")
    billed.shop.forward(minutes=1)
    paid = await billed.mirror(invoice_id)
    assert (paid.status, paid.receipt_number) == ("paid", "RG-2026-000001")
    (after,) = await billed.payments()
    assert (after.id, after.status) == (before.id, before.status)
    assert after.check_at == NOW + timedelta(minutes=1)


@pytest.mark.parametrize("end, status", [("void_invoice", "void"), ("mark_uncollectible", "uncollectible")])
async def test_what_is_given_up_stays_in_the_books(billed: Billed, end: str, status: str) -> None:
    invoice_id = billed.make(2900)
    await billed.mirror(invoice_id)
    getattr(billed.client.v1.invoices, end)(invoice_id)
    invoice = await billed.mirror(invoice_id)
    assert (invoice.status, invoice.total_cents, invoice.paid_at) == (status, 2900, None)
    assert len(await billed.lines(invoice)) == 1


async def test_a_stranger_of_the_provider_is_flagged_and_not_written(billed: Billed) -> None:
    stranger = billed.client.v1.customers.create({"name": "nobody"})
    billed.customer = stranger.id
    invoice_id = billed.make(2900)
    await sync(billed.shop.api.deps.tools, Target(Kind.INVOICE, invoice_id))
    assert await billed.all(Invoice) == []
    assert await billed.all(InvoiceLine) == []
    said = (await billed.shop.api.http.get("/metrics")).text
    assert 'revgraph_invoices_flagged_total{reason="no_account"}' in said


async def test_numbers_are_given_in_one_series_without_gaps(billed: Billed, shop: Shop) -> None:
    other = await make_billed(shop)
    assert other.user_id != billed.user_id
    for account in (billed, other):
        for _ in range(3):
            invoice_id = account.make(2900)
            account.client.v1.invoices.pay(invoice_id, {"paid_out_of_band": True})
            await account.mirror(invoice_id)
    numbers = [row.receipt_number for row in await billed.all(Invoice)]
    assert sorted(numbers) == [f"RG-2026-{n:06d}" for n in range(1, 7)]


async def test_a_new_account_has_none(shop: Shop) -> None:
    account = await sign_up(shop.api)
    books = await account.api("{ viewer { invoices { totalCount } } }")
    assert books.payload() == {"invoices": {"totalCount": 0}}
