"""Buying by a payment method that the account keeps: confirmed at once, charged once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from app.db.ids import new_id
from app.db.models import PaymentMethod
from app.schema.node import global_id
from app.settlement.customers import ensure_customer
from tests.support.buying import Stall
from tests.support.clients import sign_up

SOLD = ("completed", ["active"], "succeeded", 1, 1, 0, 1)
"""As ``Stall.states`` gives it."""


async def keep(stall: Stall, card: str = "pm_card_visa") -> str:
    """The global id of a card that the buyer keeps."""
    customer_id = await ensure_customer(stall.shop.api.deps.tools, stall.buyer_id)
    attached = stall.shop.stand_in.form(
        "POST", f"/v1/payment_methods/{card}/attach", {"customer": customer_id}
    )
    method_id = new_id()
    async with stall.database.transaction() as connection:
        await connection.execute(
            insert(PaymentMethod).values(
                id=method_id,
                user_id=stall.buyer_id,
                stripe_payment_method_id=attached.json()["id"],
                kind="card",
                is_default=False,
                created_at=stall.shop.api.clock.now,
            )
        )
    return global_id("PaymentMethod", method_id)


async def test_it_is_paid_and_complete_at_once(stall: Stall) -> None:
    bought = await stall.buy(paymentMethodId=await keep(stall))
    assert bought["errors"] == []
    assert (bought["purchase"]["status"], bought["purchase"]["licence"]) == (
        "COMPLETED",
        {"status": "ACTIVE"},
    )
    assert (bought["payment"]["status"], bought["payment"]["clientSecret"]) == ("SUCCEEDED", None)
    assert await stall.states() == SOLD


async def test_a_decline_is_told_and_leaves_the_purchase(stall: Stall) -> None:
    bad, good = await keep(stall, "pm_card_chargeCustomerFail"), await keep(stall)
    declined = await stall.buy(paymentMethodId=bad, idempotencyKey="a")
    assert [(error["code"], error["declineCode"]) for error in declined["errors"]] == [
        ("PAYMENT_DECLINED", "generic_decline")
    ]
    assert declined["purchase"]["status"] == "PENDING"
    assert (declined["payment"]["status"], declined["payment"]["attempt"]) == ("REQUIRES_PAYMENT_METHOD", 2)
    assert await stall.buy(paymentMethodId=bad, idempotencyKey="a") == declined
    assert stall.charges() == ["failed"]
    again = await stall.buy(paymentMethodId=bad, idempotencyKey="b")
    assert again["payment"]["attempt"] == 3
    assert stall.charges() == ["failed", "failed"]
    paid = await stall.buy(paymentMethodId=good, idempotencyKey="c")
    assert (paid["errors"], paid["purchase"]["id"]) == ([], declined["purchase"]["id"])
    assert await stall.states() == SOLD
    assert len(stall.intents()) == 1


async def test_a_question_of_the_bank_is_the_payers_turn(stall: Stall) -> None:
    method = await keep(stall, "pm_card_authenticationRequired")
    asked = await stall.buy(paymentMethodId=method, idempotencyKey="k")
    assert (asked["errors"], asked["payment"]["status"]) == ([], "REQUIRES_ACTION")
    [intent] = stall.intents()
    assert asked["payment"]["clientSecret"] == intent["client_secret"]
    assert await stall.buy(paymentMethodId=method, idempotencyKey="k") == asked
    stall.shop.act(intent["id"], "authenticate")
    await stall.settle()
    assert await stall.states() == SOLD
    assert stall.charges() == ["succeeded"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_answer_that_never_came_charges_once(stall: Stall, when: str) -> None:
    method = await keep(stall)
    stall.shop.lose("/v1/payment_intents/*/confirm", when=when)
    unknown = await stall.buy(paymentMethodId=method, idempotencyKey="k")
    assert [error["code"] for error in unknown["errors"]] == ["PAYMENT_UNCONFIRMED"]
    assert (unknown["purchase"]["status"], unknown["payment"]["attempt"]) == ("PENDING", 1)
    paid = await stall.buy(paymentMethodId=method, idempotencyKey="k")
    assert (paid["errors"], paid["purchase"]["status"]) == ([], "COMPLETED")
    assert stall.charges() == ["succeeded"]
    assert await stall.states() == SOLD


async def test_what_was_charged_unheard_is_found(stall: Stall) -> None:
    stall.shop.lose("/v1/payment_intents/*/confirm", when="after")
    await stall.buy(paymentMethodId=await keep(stall))
    assert await stall.sweep(minutes=6) == 1
    assert await stall.states() == SOLD


async def test_a_lost_look_is_made_up_for(stall: Stall) -> None:
    """It was charged, and then the provider was silent: the same request tells."""
    method = await keep(stall)
    stall.shop.lose("/v1/payment_intents/*", when="before", method="GET")
    unknown = await stall.buy(paymentMethodId=method, idempotencyKey="k")
    assert [error["code"] for error in unknown["errors"]] == ["PAYMENT_UNCONFIRMED"]
    paid = await stall.buy(paymentMethodId=method, idempotencyKey="k")
    assert (paid["errors"], paid["purchase"]["status"]) == ([], "COMPLETED")
    assert stall.charges() == ["succeeded"]


async def test_at_once_it_is_charged_once(stall: Stall) -> None:
    method = await keep(stall)
    answers = await asyncio.gather(
        *(stall.buy(paymentMethodId=method, idempotencyKey=key) for key in ("a", "b", "a"))
    )
    assert len({answer["purchase"]["id"] for answer in answers}) == 1
    assert stall.charges() == ["succeeded"]
    await stall.settle()
    assert await stall.states() == SOLD


async def test_only_a_method_that_is_kept_pays(stall: Stall) -> None:
    method = await keep(stall)
    stranger = await sign_up(stall.shop.api)
    refused: list[Any] = [await stall.buy(by=stranger, paymentMethodId=method)]
    refused.append(await stall.buy(paymentMethodId=global_id("PaymentMethod", new_id())))
    async with stall.database.transaction() as connection:
        removed_at = stall.shop.api.clock.now - timedelta(days=1)
        await connection.execute(update(PaymentMethod).values(removed_at=removed_at))
    refused.append(await stall.buy(paymentMethodId=method))
    assert [[error["code"] for error in answer["errors"]] for answer in refused] == [["NOT_FOUND"]] * 3
    assert stall.intents() == []


async def test_a_method_that_was_removed_since_replays_the_answer(stall: Stall) -> None:
    method = await keep(stall)
    first = await stall.buy(paymentMethodId=method, idempotencyKey="k")
    async with stall.database.transaction() as connection:
        await connection.execute(update(PaymentMethod).values(removed_at=stall.shop.api.clock.now))
    assert await stall.buy(paymentMethodId=method, idempotencyKey="k") == first
    assert (await stall.states(), stall.charges()) == (SOLD, ["succeeded"])


async def test_another_method_is_other_input(stall: Stall) -> None:
    first, second = await keep(stall), await keep(stall)
    await stall.buy(idempotencyKey="k", paymentMethodId=first)
    again = await stall.buy(idempotencyKey="k", paymentMethodId=second)
    assert [error["code"] for error in again["errors"]] == ["IDEMPOTENCY_KEY_REUSED"]
