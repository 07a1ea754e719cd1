"""Payments whose making nobody was told of: the open purchase learns of them, what is over is not to be paid."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from app.db.ids import new_id
from app.db.models import OutboxFact, Payment
from app.domain.outbox import Topic
from app.services import reconciliation
from tests.support import factories
from tests.support.buying import PRICE, Stall, uuid_of

OVER = ("canceled", [], "canceled", 0, 0, 0, 0)
"""As ``Stall.states`` gives it."""
BEGUN = ("pending", [], "requires_payment_method", 0, 0, 1, 0)


async def buy_unheard(stall: Stall) -> str:
    """The intent that was made, of which the server was not told."""
    stall.shop.lose("/v1/payment_intents", when="after")
    await stall.buy(idempotencyKey="first")
    [intent] = stall.intents()
    assert (await stall.payment()).stripe_payment_intent_id is None
    return str(intent["id"])


async def buy_and_give_up(stall: Stall) -> str:
    intent_id = await buy_unheard(stall)
    await stall.sweep(hours=25)
    assert (await stall.states(), (await stall.payment()).stripe_payment_intent_id) == (OVER, None)
    return intent_id


async def hear(stall: Stall, how: str) -> None:
    """Of everything that happened: by the webhook, or by the reconciliation alone."""
    if how == "webhook":
        await stall.shop.deliver()
    else:
        since = stall.shop.api.clock() - timedelta(days=3)
        report = await reconciliation.run(stall.shop.api.deps.tools, since=since, dry_run=False)
        assert report.failed == {}
    assert await stall.shop.work() == []


def statuses(stall: Stall) -> dict[str, str]:
    return {intent["id"]: intent["status"] for intent in stall.intents()}


@pytest.mark.parametrize("how", ["webhook", "reconcile"])
async def test_of_what_was_given_up_it_is_cancelled(stall: Stall, how: str) -> None:
    intent_id = await buy_and_give_up(stall)
    await hear(stall, how)
    assert statuses(stall) == {intent_id: "canceled"}
    assert await stall.states() == OVER
    payment = await stall.payment()
    assert (payment.stripe_payment_intent_id, payment.client_secret, payment.check_at) == (
        intent_id,
        None,
        None,
    )
    await hear(stall, "reconcile")
    assert [
        (fact.state, fact.payload) for fact in await stall.rows(OutboxFact) if "intent" in fact.topic
    ] == [("done", {"intent_id": intent_id})]
    assert (await stall.flags(), await stall.refunds()) == ([], [])


@pytest.mark.parametrize("how", ["webhook", "reconcile"])
async def test_an_open_purchase_learns_of_it(stall: Stall, how: str) -> None:
    intent_id = await buy_unheard(stall)
    await hear(stall, how)
    assert statuses(stall) == {intent_id: "requires_payment_method"}
    assert await stall.states() == BEGUN
    payment, [intent] = await stall.payment(), stall.intents()
    assert (payment.stripe_payment_intent_id, payment.client_secret) == (intent_id, intent["client_secret"])
    assert await stall.facts(Topic.INTENT_ABANDONED) == []
    assert (await stall.buy(idempotencyKey="first"))["payment"]["clientSecret"] == intent["client_secret"]
    assert len(stall.intents()) == 1


async def test_until_it_is_cancelled_nobody_here_can_pay_it(stall: Stall) -> None:
    intent_id = await buy_and_give_up(stall)
    await stall.settler(intent_id)()
    again = await stall.buy(idempotencyKey="first")
    assert (again["purchase"]["status"], again["payment"]["clientSecret"]) == ("CANCELED", None)
    assert (await stall.states(), statuses(stall)) == (OVER, {intent_id: "requires_payment_method"})


async def test_money_that_comes_all_the_same_goes_back(stall: Stall) -> None:
    """Also where it comes between finding the intent and cancelling it."""
    intent_id = await buy_and_give_up(stall)
    await stall.settler(intent_id)()
    stall.shop.act(intent_id, "pay")
    assert await stall.shop.work() == []
    assert (await stall.states())[:3] == ("canceled", [], "succeeded")
    await stall.sweep()
    assert await stall.refunds() == [("succeeded", PRICE)]
    assert (statuses(stall), stall.charges()) == ({intent_id: "succeeded"}, ["succeeded"])
    assert await stall.books() == {}


async def test_a_second_one_is_cancelled_when_the_first_was_paid_and_not_before(stall: Stall) -> None:
    """Nobody asked again for so long that the provider had forgotten the key: then it made another one."""
    first = await buy_unheard(stall)
    stall.shop.forward(hours=25)
    await stall.buy()
    second = await stall.intent_id()
    assert second != first
    await hear(stall, "reconcile")
    assert set(statuses(stall).values()) == {"requires_payment_method"}
    assert await stall.states() == BEGUN
    stall.shop.act(second, "pay")
    for _ in range(2):  # the first time it may look at the one before the other
        await hear(stall, "reconcile")
    assert statuses(stall) == {first: "canceled", second: "succeeded"}
    assert (await stall.intent_id(), (await stall.states())[:3]) == (
        second,
        ("completed", ["active"], "succeeded"),
    )
    assert await stall.flags() == []


async def test_what_is_being_paid_is_waited_for(stall: Stall) -> None:
    intent_id = await buy_and_give_up(stall)
    stall.shop.act(intent_id, "pay", card="pm_usBankAccount")
    assert statuses(stall) == {intent_id: "processing"}
    await hear(stall, "reconcile")
    assert statuses(stall) == {intent_id: "processing"}
    assert (await stall.states())[:3] == ("canceled", [], "processing")
    assert await stall.facts(Topic.INTENT_ABANDONED) == []


async def test_that_of_an_invoice_is_never_cancelled(stall: Stall) -> None:
    """Whatever somebody writes into its metadata."""
    bought = await stall.buy()
    owed = await factories.make_invoice(stall.database, user=SimpleNamespace(id=stall.buyer_id))
    async with stall.database.transaction() as connection:
        await connection.execute(
            update(Payment).values(purchase_id=None, invoice_id=owed.id, status="canceled")
        )
    named = {
        "metadata[payment_id]": str(uuid_of(bought["payment"]["id"])),
        "metadata[purchase_id]": str(new_id()),
        "amount": "1999", "currency": "usd", "automatic_payment_methods[enabled]": "true",
    }  # fmt: skip
    other = stall.shop.stand_in.form("POST", "/v1/payment_intents", named).json()["id"]
    await hear(stall, "reconcile")
    assert statuses(stall)[other] == "requires_payment_method"
    assert await stall.facts(Topic.INTENT_ABANDONED) == []
