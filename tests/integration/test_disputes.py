"""Disputes: the payer's bank has the money until it is decided, and licence and author's share wait with it."""

from typing import Any

import pytest

from app.db.models import Dispute, Licence, Purchase
from app.schema.node import global_id
from tests.support.buying import PRICE, Stall

SOLD = ("completed", ["active"], "succeeded", 1, 1, 0, 1)
"""As ``Stall.states`` gives it."""
HELD = ("completed", ["suspended"], "succeeded", 1, 1, 0, 1)
GONE = ("refunded", ["revoked"], "succeeded", 0, 0, 0, 1)
SALE = {"author_payable": -1600, "cash": 1999, "commission": -399}
WITHHELD = {"author_payable": -1600, "commission": -399, "disputed": 1999}
DOWNLOAD = """mutation($id: ID!) { createDownload(input: {packageId: $id}) { errors { code message } } }"""


def dispute(stall: Stall, intent_id: str, **given: Any) -> str:
    made = stall.shop.stand_in.ask("/disputes", payment_intent=intent_id, **given)
    return str(made["id"])


def decide(stall: Stall, dispute_id: str, outcome: str) -> None:
    stall.shop.stand_in.ask(f"/disputes/{dispute_id}", outcome=outcome)


async def test_opened_and_won(stall: Stall) -> None:
    intent_id = await stall.buy_and_pay()
    dispute_id = dispute(stall, intent_id)
    for _ in range(2):
        await stall.settle()
        assert (await stall.states(), await stall.books()) == (HELD, WITHHELD)
    [row] = await stall.rows(Dispute)
    assert (row.status, row.amount_cents, row.reason, row.closed_at) == (
        "needs_response",
        PRICE,
        "fraudulent",
        None,
    )
    refused = await stall.key(DOWNLOAD, id=global_id("Package", stall.package.id))
    again = await stall.buy()
    for [error], code in [(refused.payload()["errors"], "NOT_OWNED"), (again["errors"], "ALREADY_OWNED")]:
        assert error["code"] == code
        assert error["message"].startswith(
            "Your licence of 'theme' is suspended while its payment is disputed"
        )
    decide(stall, dispute_id, "won")
    for _ in range(2):
        await stall.settle()
        assert (await stall.states(), await stall.books()) == (SOLD, SALE)
    [row] = await stall.rows(Dispute)
    assert (row.status, row.closed_at) == ("won", stall.shop.api.clock.now)


async def test_opened_and_lost(stall: Stall) -> None:
    intent_id = await stall.buy_and_pay()
    dispute_id = dispute(stall, intent_id)
    await stall.settle()
    decide(stall, dispute_id, "lost")
    for _ in range(2):
        await stall.settle()
        assert (await stall.states(), await stall.books()) == (GONE, {})
    [licence] = await stall.rows(Licence)
    assert licence.revoked_at == stall.shop.api.clock.now
    again = await stall.buy()
    assert again["errors"] == []
    assert [row.status for row in await stall.rows(Purchase)] == ["refunded", "pending"]


async def test_won_after_it_was_lost(stall: Stall) -> None:
    intent_id = await stall.buy_and_pay()
    dispute_id = dispute(stall, intent_id)
    for outcome, states, books in (("lost", GONE, {}), ("won", SOLD, SALE)):
        decide(stall, dispute_id, outcome)
        for _ in range(2):
            await stall.settle()
            assert (await stall.states(), await stall.books()) == (states, books)
    assert await stall.disputes() == ["won"]


async def test_won_after_it_was_lost_and_bought_again_it_is_owned_once(stall: Stall) -> None:
    dispute_id = dispute(stall, await stall.buy_and_pay())
    decide(stall, dispute_id, "lost")
    await stall.settle()
    await stall.buy_and_pay()
    assert await stall.flags() == []
    decide(stall, dispute_id, "won")
    await stall.settle()
    await stall.settle()
    assert [row.status for row in await stall.rows(Purchase)] == ["refunded", "completed"]
    assert await stall.flags() == ["restored_twice"]


@pytest.mark.parametrize("outcome, states, books", [("lost", GONE, {}), ("won", SOLD, SALE)])
async def test_decided_before_anybody_told_of_it(
    stall: Stall, outcome: str, states: tuple[Any, ...], books: dict[str, int]
) -> None:
    intent_id = await stall.buy_and_pay()
    decide(stall, dispute(stall, intent_id), outcome)
    await stall.settle()
    assert (await stall.states(), await stall.books()) == (states, books)
    assert await stall.disputes() == [outcome]


async def test_a_disputed_card_is_sold_and_suspended_at_once(stall: Stall) -> None:
    await stall.buy_and_pay(card="pm_card_createDispute")
    assert (await stall.states(), await stall.books()) == (HELD, WITHHELD)


async def test_an_inquiry_takes_nothing(stall: Stall) -> None:
    await stall.buy_and_pay(card="pm_card_createDisputeInquiry")
    assert await stall.disputes() == ["warning_needs_response"]
    assert (await stall.states(), await stall.books()) == (SOLD, SALE)
    [row] = await stall.rows(Dispute)
    decide(stall, row.stripe_dispute_id, "lost")
    await stall.settle()
    assert await stall.disputes() == ["warning_closed"]
    assert (await stall.states(), await stall.books()) == (SOLD, SALE)


async def test_what_is_lost_takes_the_licence_whatever_the_amount(stall: Stall) -> None:
    intent_id = await stall.buy_and_pay()
    dispute_id = dispute(stall, intent_id, amount=1000)
    await stall.settle()
    assert (await stall.states())[:2] == HELD[:2]
    decide(stall, dispute_id, "lost")
    await stall.settle()
    assert (await stall.states())[:2] == GONE[:2]
    assert await stall.books() == {"author_payable": -800, "cash": 999, "commission": -199}


async def test_what_was_given_back_in_part_and_is_disputed(stall: Stall) -> None:
    """The rest of the share is withheld, and nothing of it is left when it is lost."""
    intent_id = await stall.buy_and_pay()
    stall.shop.stand_in.form("POST", "/v1/refunds", {"payment_intent": intent_id, "amount": "999"})
    await stall.settle()
    dispute_id = dispute(stall, intent_id, amount=1000)
    await stall.settle()
    decide(stall, dispute_id, "lost")
    await stall.settle()
    assert (await stall.states(), await stall.books()) == (GONE, {})


async def test_the_payer_sees_it(stall: Stall) -> None:
    intent_id = await stall.buy_and_pay()
    dispute(stall, intent_id)
    await stall.settle()
    document = """{ viewer { payments { edges { node { status refunds { status } invoiceId
        disputes { id status reason amount { amountCents } closedAt } purchase { status } } } } } }"""
    [edge] = (await stall.key(document)).payload()["payments"]["edges"]
    assert edge["node"]["disputes"][0].pop("id")
    assert edge["node"] == {
        "status": "SUCCEEDED",
        "refunds": [],
        "invoiceId": None,
        "disputes": [
            {
                "status": "NEEDS_RESPONSE",
                "reason": "fraudulent",
                "amount": {"amountCents": PRICE},
                "closedAt": None,
            }
        ],
        "purchase": {"status": "COMPLETED"},
    }
