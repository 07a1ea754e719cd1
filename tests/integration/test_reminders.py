"""An invoice that nobody has paid by its due date: one reminder, and only where it is still open."""

import pytest

from tests.support.invoicing import Billed, make_billed
from tests.support.payments import Shop


@pytest.fixture
async def billed(shop: Shop) -> Billed:
    return await make_billed(shop)


async def test_an_overdue_invoice_is_reminded_of_once(shop: Shop, billed: Billed) -> None:
    invoice = await billed.mirror(billed.make(4_200))
    assert await billed.hear() == [f"Invoice {invoice.number} over $42.00"]
    shop.forward(days=13, hours=23)
    assert await billed.hear() == []
    shop.forward(hours=1)
    assert await billed.hear() == [f"Reminder: invoice {invoice.number} over $42.00 is overdue"]
    await billed.mirror(invoice.stripe_invoice_id)
    shop.forward(days=60)
    await billed.mirror(invoice.stripe_invoice_id)
    assert await billed.hear() == []


@pytest.mark.parametrize("end", ["pay", "void"])
async def test_what_is_settled_in_time_is_not_reminded_of(shop: Shop, billed: Billed, end: str) -> None:
    invoice = await billed.mirror(billed.make(4_200))
    await billed.hear()
    if end == "pay":
        (payment,) = await billed.payments()
        shop.act(payment.stripe_payment_intent_id, "pay", card="pm_card_visa")
    else:
        billed.client.v1.invoices.void_invoice(invoice.stripe_invoice_id)
    await billed.hear()
    shop.forward(days=15)
    assert await billed.hear() == []


async def test_of_one_that_is_overdue_when_it_is_first_seen_one_mail_tells(
    shop: Shop, billed: Billed
) -> None:
    late = billed.make(4_200)
    shop.forward(days=20)
    invoice = await billed.mirror(late)
    assert await billed.hear() == [f"Invoice {invoice.number} over $42.00"]
