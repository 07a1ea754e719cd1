"""Refunds: never more than was paid, and licence, author, quota and books follow the money."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text, update

from app.db.ids import new_id
from app.db.models import AuditEntry, Invoice, Licence, Payment, Purchase, Refund
from app.db.repositories import ledger, purchases
from app.domain.api_keys import Role
from app.domain.outbox import Topic
from app.ports.provider import OutcomeUnknown
from app.schema.node import global_id
from tests.support.buying import PRICE, Stall, uuid_of
from tests.support.clients import Account, Api, make_key, sign_up_as

REFUND = """mutation($input: RefundPaymentInput!) { refundPayment(input: $input) {
    refund { id status amount { amountCents } reason failureCode }
    payment { id status refunded { amountCents } refunds { status } purchase { status licence { status } } }
    errors { code message path ... on PaymentRefused { reason } ... on InvalidState { state } } } }"""

SOLD = ("completed", ["active"], "succeeded", 1, 1, 0, 1)
"""As ``Stall.states`` gives it."""
GONE = ("refunded", ["revoked"], "succeeded", 0, 0, 0, 1)
SALE = {"author_payable": -1600, "cash": 1999, "commission": -399}


@pytest.fixture
async def staff(stall: Stall) -> Account:
    return await sign_up_as(stall.shop.api, Role.SUPPORT)


async def give_back(stall: Stall, api: Api, **given: Any) -> Any:
    values = {
        "paymentId": global_id("Payment", (await stall.payment()).id),
        "reason": "did not work",
        "idempotencyKey": "k-1",
    }
    return (await api(REFUND, input={**values, **given})).payload()


async def test_all_of_it_takes_all_back(stall: Stall, staff: Account) -> None:
    await stall.buy_and_pay()
    assert (await stall.states(), await stall.books()) == (SOLD, SALE)
    given = await give_back(stall, staff.api)
    assert given["errors"] == []
    assert given["refund"] == {
        "id": given["refund"]["id"],
        "status": "SUCCEEDED",
        "amount": {"amountCents": PRICE},
        "reason": "did not work",
        "failureCode": None,
    }
    assert given["payment"]["refunded"] == {"amountCents": PRICE}
    assert given["payment"]["purchase"] == {"status": "REFUNDED", "licence": {"status": "REVOKED"}}
    assert await stall.states() == GONE
    assert await stall.books() == {}
    [licence] = await stall.rows(Licence)
    assert licence.revoked_at == stall.shop.api.clock.now
    [refund] = await stall.rows(Refund)
    assert await stall.facts(Topic.REFUND_ISSUED) == [{"refund_id": str(refund.id)}]
    [entry] = [row for row in await stall.rows(AuditEntry) if row.action == "refund_payment"]
    assert entry.details == {"amount_cents": PRICE, "reason": "did not work", "refund": str(refund.id)}
    await stall.settle()
    assert (await stall.states(), await stall.books()) == (GONE, {})
    assert await stall.facts(Topic.REFUND_ISSUED) == [{"refund_id": str(refund.id)}]


async def test_what_went_back_may_be_bought_again(stall: Stall, staff: Account) -> None:
    await stall.buy_and_pay()
    await give_back(stall, staff.api)
    await stall.buy_and_pay()
    assert [row.status for row in await stall.rows(Purchase)] == ["refunded", "completed"]
    assert [row.status for row in await stall.rows(Licence)] == ["revoked", "active"]
    assert await stall.templates() == (1, 0)
    assert await stall.books() == SALE


async def test_a_part_leaves_the_licence(stall: Stall, staff: Account) -> None:
    await stall.buy_and_pay()
    given = await give_back(stall, staff.api, amountCents=500)
    assert (given["errors"], given["refund"]["status"]) == ([], "SUCCEEDED")
    assert await stall.states() == SOLD
    assert await stall.books() == {"author_payable": -1200, "cash": 1499, "commission": -299}
    assert (await give_back(stall, staff.api, idempotencyKey="k-2"))["errors"] == []
    assert await stall.refunds() == [("succeeded", 500), ("succeeded", 1499)]
    assert await stall.states() == GONE
    assert await stall.books() == {}


async def test_the_same_key_gives_back_once(stall: Stall, staff: Account) -> None:
    await stall.buy_and_pay()
    first = await give_back(stall, staff.api, amountCents=500)
    assert await give_back(stall, staff.api, amountCents=500) == first
    other = await give_back(stall, staff.api, amountCents=501)
    assert [error["code"] for error in other["errors"]] == ["IDEMPOTENCY_KEY_REUSED"]
    assert await stall.refunds() == [("succeeded", 500)]
    assert stall.made("refunds") == [500]


@pytest.mark.parametrize(
    "given, code",
    [
        ({"amountCents": PRICE + 1}, "BAD_USER_INPUT"),
        ({"amountCents": 0}, "BAD_USER_INPUT"),
        ({"amountCents": -5}, "BAD_USER_INPUT"),
        ({"amountCents": 2**53 - 1}, "BAD_USER_INPUT"),
        ({"reason": ""}, "BAD_USER_INPUT"),
        ({"reason": "x" * 201}, "BAD_USER_INPUT"),
        ({"reason": "a\u0000b"}, "BAD_USER_INPUT"),
        ({"idempotencyKey": ""}, "BAD_USER_INPUT"),
        ({"paymentId": "x"}, "BAD_USER_INPUT"),
    ],
)
async def test_what_cannot_be_given_back(
    stall: Stall, staff: Account, given: dict[str, Any], code: str
) -> None:
    await stall.buy_and_pay()
    refused = await give_back(stall, staff.api, **given)
    assert [error["code"] for error in refused["errors"]] == [code]
    assert refused["refund"] is None
    assert (await stall.states(), await stall.refunds()) == (SOLD, [])
    assert (await stall.payment()).refunded_cents == 0
    assert stall.made("refunds") == []


async def test_what_nobody_paid_is_not_given_back(stall: Stall, staff: Account) -> None:
    await stall.buy()
    refused = await give_back(stall, staff.api)
    assert [(error["code"], error["state"]) for error in refused["errors"]] == [
        ("INVALID_STATE", "requires_payment_method")
    ]
    unknown = await give_back(stall, staff.api, paymentId=global_id("Payment", stall.buyer_id))
    assert [error["code"] for error in unknown["errors"]] == ["NOT_FOUND"]
    assert await stall.refunds() == []


async def test_who_may(stall: Stall, staff: Account) -> None:
    """Support by session, administrators also by a key of their scope; nobody else."""
    await stall.buy_and_pay()
    admin = await sign_up_as(stall.shop.api, Role.ADMIN)
    refused = [stall.buyer.api, stall.shop.api.as_(await make_key(staff, "WRITE"))]
    refused.append(stall.shop.api.as_(await make_key(admin, "WRITE")))
    values = {
        "paymentId": global_id("Payment", (await stall.payment()).id),
        "reason": "x",
        "idempotencyKey": "k",
    }
    for api in refused:
        assert (await api(REFUND, input=values)).code == "FORBIDDEN"
    assert await stall.refunds() == []
    for number, api in enumerate([staff.api, admin.api, stall.shop.api.as_(await make_key(admin, "ADMIN"))]):
        given = await give_back(stall, api, amountCents=1, idempotencyKey=str(number))
        assert given["errors"] == []
    assert await stall.refunds() == [("succeeded", 1)] * 3


async def test_at_once_they_never_exceed_what_was_paid(stall: Stall, staff: Account) -> None:
    await stall.buy_and_pay()
    answers = await asyncio.gather(
        *(give_back(stall, staff.api, amountCents=300, idempotencyKey=f"k-{n}") for n in range(20))
    )
    given = [answer for answer in answers if not answer["errors"]]
    assert len(given) == 6
    assert {answer["errors"][0]["code"] for answer in answers if answer["errors"]} == {"BAD_USER_INPUT"}
    assert await stall.refunds() == [("succeeded", 300)] * 6
    assert (await stall.payment()).refunded_cents == 1800
    charge = stall.shop.stand_in.form("GET", "/v1/charges").json()["data"][0]
    assert charge["amount_refunded"] == 1800
    assert await stall.states() == SOLD
    assert await stall.books() == {"author_payable": -160, "cash": 199, "commission": -39}


async def test_one_key_at_once_gives_back_once(stall: Stall, staff: Account) -> None:
    await stall.buy_and_pay()
    await asyncio.gather(*(give_back(stall, staff.api, amountCents=300) for _ in range(8)))
    assert await stall.refunds() == [("succeeded", 300)]
    assert stall.made("refunds") == [300]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_answer_that_never_came_gives_back_once(stall: Stall, staff: Account, when: str) -> None:
    await stall.buy_and_pay()
    stall.shop.lose("/v1/refunds", when=when)
    given = await give_back(stall, staff.api)
    assert [error["code"] for error in given["errors"]] == ["PAYMENT_UNCONFIRMED"]
    assert (given["refund"]["status"], given["payment"]["refunded"]) == ("PENDING", {"amountCents": PRICE})
    assert await stall.states() == SOLD
    more = await give_back(stall, staff.api, idempotencyKey="k-2", amountCents=1)
    assert [error["code"] for error in more["errors"]] == ["INVALID_STATE"]
    again = await give_back(stall, staff.api)
    assert (again["errors"], again["refund"]["status"]) == ([], "SUCCEEDED")
    assert (await stall.states(), await stall.books()) == (GONE, {})
    assert stall.made("refunds") == [PRICE]
    assert await stall.refunds() == [("succeeded", PRICE)]


async def test_an_event_tells_what_the_lost_answer_did_not(
    stall: Stall, staff: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was acted on before the call was given up."""
    await stall.buy_and_pay()
    provider = stall.shop.api.deps.tools.provider
    create = provider.refunds.create

    async def lost(*given: Any, **named: Any) -> None:
        await create(*given, **named)
        await stall.settle()
        raise OutcomeUnknown("no answer")

    monkeypatch.setattr(provider.refunds, "create", lost)
    given = await give_back(stall, staff.api)
    assert (given["errors"], given["refund"]["status"]) == ([], "SUCCEEDED")
    assert await stall.states() == GONE
    assert stall.made("refunds") == [PRICE]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_the_sweeper_finds_out(stall: Stall, staff: Account, when: str) -> None:
    """Also after the provider has forgotten the key."""
    await stall.buy_and_pay()
    stall.shop.lose("/v1/refunds", when=when)
    await give_back(stall, staff.api)
    assert await stall.sweep() == 0
    assert await stall.sweep(days=3) == 1
    assert await stall.refunds() == [("succeeded", PRICE)]
    assert stall.made("refunds") == [PRICE]
    assert (await stall.states(), await stall.books()) == (GONE, {})
    assert await stall.sweep(days=3) == 0


async def test_asked_again_after_days_it_gives_back_once(stall: Stall) -> None:
    """The provider has forgotten the key by then, and nobody swept."""
    await stall.buy_and_pay()
    admin = await sign_up_as(stall.shop.api, Role.ADMIN)
    staff = stall.shop.api.as_(await make_key(admin, "READ", "ADMIN"))
    stall.shop.lose("/v1/refunds", when="after")
    await give_back(stall, staff, amountCents=500)
    stall.shop.forward(days=3)
    again = await give_back(stall, staff, amountCents=500)
    assert (again["errors"], again["refund"]["status"]) == ([], "SUCCEEDED")
    assert (stall.made("refunds"), await stall.refunds()) == ([500], [("succeeded", 500)])


async def test_two_of_one_name_are_two(stall: Stall, staff: Account) -> None:
    """Whoever repeated it there, the money went twice."""
    intent_id = await stall.buy_and_pay()
    given = await give_back(stall, staff.api, amountCents=500)
    named = {"metadata[refund_id]": str(uuid_of(given["refund"]["id"]))}
    stall.shop.stand_in.form("POST", "/v1/refunds", {"payment_intent": intent_id, "amount": "500", **named})
    for _ in range(2):
        await stall.settle()
        assert await stall.refunds() == [("succeeded", 500), ("succeeded", 500)]
        assert (await stall.payment()).refunded_cents == 1000
    assert (await stall.books())["cash"] == PRICE - 1000


async def test_the_providers_no_frees_what_was_set_aside(stall: Stall, staff: Account) -> None:
    intent_id = await stall.buy_and_pay()
    stall.shop.stand_in.form("POST", "/v1/refunds", {"payment_intent": intent_id})
    given = await give_back(stall, staff.api)
    assert [(error["code"], error["reason"]) for error in given["errors"]] == [
        ("PAYMENT_REFUSED", "charge_already_refunded")
    ]
    assert given["refund"]["status"] == "FAILED"
    assert await stall.refunds() == [("failed", PRICE), ("succeeded", PRICE)]
    assert (await stall.payment()).refunded_cents == PRICE
    assert (await stall.states(), await stall.books()) == (GONE, {})
    again = await give_back(stall, staff.api)
    assert [error["code"] for error in again["errors"]] == ["PAYMENT_REFUSED"]


@pytest.mark.parametrize("cents, times, states", [(PRICE, 1, GONE), (100, 12, SOLD)])
async def test_what_is_given_back_elsewhere_is_followed(
    stall: Stall, cents: int, times: int, states: tuple[Any, ...]
) -> None:
    """A charge of Stripe's shows ten of its refunds."""
    intent_id = await stall.buy_and_pay()
    amounts = [cents + number for number in range(times)]
    for amount in amounts:
        given = {"payment_intent": intent_id, "reason": "requested_by_customer", "amount": str(amount)}
        stall.shop.stand_in.form("POST", "/v1/refunds", given)
    await stall.settle()
    await stall.settle()
    assert await stall.refunds() == [("succeeded", amount) for amount in amounts]
    refunds = await stall.rows(Refund)
    assert {(refund.reason, refund.requested_by) for refund in refunds} == {("requested_by_customer", None)}
    assert (await stall.payment()).refunded_cents == sum(amounts)
    assert await stall.states() == states


async def test_a_refund_that_fails_at_the_bank_restores(stall: Stall, staff: Account) -> None:
    """The provider says so at once; what was given back is again what was sold."""
    await stall.buy_and_pay(card="pm_card_refundFail")
    given = await give_back(stall, staff.api)
    assert given["refund"]["status"] == "FAILED"
    assert given["refund"]["failureCode"] == "expired_or_canceled_card"
    assert await stall.refunds() == [("failed", PRICE)]
    assert (await stall.payment()).refunded_cents == 0
    assert (await stall.states(), await stall.books()) == (SOLD, SALE)
    assert await stall.facts(Topic.REFUND_ISSUED) == []


async def _fail_later(stall: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider tells of the refunds that succeeded as failed from now on, as a bank does after days."""
    charges = stall.shop.api.deps.tools.provider.charges
    told = charges.of_intent

    async def of_intent(intent_id: str) -> Any:
        failed = {"status": "failed", "failure_reason": "lost_or_stolen_card"}
        return [
            {**charge, "refunds": [{**refund, **failed} for refund in charge["refunds"]]}
            for charge in await told(intent_id)
        ]

    monkeypatch.setattr(charges, "of_intent", of_intent)


async def test_a_refund_that_fails_after_days_restores(
    stall: Stall, staff: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stall.buy_and_pay()
    await give_back(stall, staff.api)
    assert (await stall.states(), await stall.books()) == (GONE, {})
    await _fail_later(stall, monkeypatch)
    for _ in range(2):
        await stall.settle()
        assert await stall.refunds() == [("failed", PRICE)]
        assert (await stall.payment()).refunded_cents == 0
        assert (await stall.states(), await stall.books()) == (SOLD, SALE)
    [licence] = await stall.rows(Licence)
    assert licence.revoked_at is None
    assert await stall.flags() == []


async def test_what_was_bought_again_meanwhile_is_owned_once(
    stall: Stall, staff: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await stall.buy_and_pay()
    await give_back(stall, staff.api)
    await stall.buy_and_pay()
    await _fail_later(stall, monkeypatch)
    await stall.settle()
    await stall.settle()
    assert [row.status for row in await stall.rows(Purchase)] == ["refunded", "completed"]
    assert [row.status for row in await stall.rows(Licence)] == ["revoked", "active"]
    assert await stall.flags() == ["restored_twice"]
    assert await stall.templates() == (1, 0)
    assert first != await stall.intent_id()


async def test_money_of_an_invoice_is_only_money(stall: Stall, staff: Account) -> None:
    """No licence hangs on it and no author."""
    await stall.buy_and_pay()
    async with stall.database.transaction() as connection:
        invoice_id = new_id()
        await connection.execute(
            Invoice.__table__.insert().values(
                id=invoice_id,
                user_id=stall.buyer_id,
                status="paid",
                currency="USD",
                subtotal_cents=PRICE,
                discount_cents=0,
                tax_cents=0,
                total_cents=PRICE,
                amount_paid_cents=PRICE,
                created_at=stall.shop.api.clock.now,
            )
        )
        await connection.execute(update(Payment).values(purchase_id=None, invoice_id=invoice_id))
    given = (
        await staff.api(
            REFUND.replace("purchase { status licence { status } }", "purchase { status } invoiceId"),
            input={
                "paymentId": global_id("Payment", (await stall.payment()).id),
                "reason": "x",
                "idempotencyKey": "k",
            },
        )
    ).payload()
    assert (given["errors"], given["refund"]["status"]) == ([], "SUCCEEDED")
    assert (given["payment"]["purchase"], given["payment"]["invoiceId"]) == (
        None,
        global_id("Invoice", invoice_id),
    )
    assert (await stall.payment()).refunded_cents == PRICE
    assert await stall.books() == SALE
    assert [row.status for row in await stall.rows(Licence)] == ["active"]


@pytest.mark.parametrize("dialect", ["postgresql"])
async def test_a_refund_takes_its_locks_in_the_order_in_which_a_sale_does(
    stall: Stall, staff: Account
) -> None:
    """The package, then the author: whoever waits for the package must not keep a sale from the author."""
    await stall.buy_and_pay()
    async with stall.database.transaction() as connection:
        await connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        await purchases.count_sale(connection, stall.package.id)
        refunding = asyncio.create_task(give_back(stall, staff.api))
        for _ in range(500):
            if await waiting(stall):
                break
            await asyncio.sleep(0.02)
        await ledger.hold_author(connection, stall.author.id)
    assert (await refunding)["errors"] == []
    assert await stall.books() == {}


async def waiting(stall: Stall) -> int:
    async with stall.database.read() as connection:
        waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return int((await connection.execute(waits)).scalar_one())


async def test_everything_at_once_ends_where_the_money_is(stall: Stall, staff: Account) -> None:
    """Refunds here and there, settling, sweeping and a payer who looks: nobody waits in a circle."""
    intent_id = await stall.buy_and_pay()
    elsewhere = asyncio.to_thread(
        stall.shop.stand_in.form, "POST", "/v1/refunds", {"payment_intent": intent_id, "amount": "500"}
    )
    await asyncio.gather(
        elsewhere,
        *(give_back(stall, staff.api, amountCents=400, idempotencyKey=f"k-{n}") for n in range(6)),
        *(stall.settle() for _ in range(3)),
        *(stall.sweep() for _ in range(2)),
        *(stall.buy() for _ in range(2)),
    )
    await stall.settle()
    await stall.sweep(days=1)
    await stall.settle()
    went = sum(stall.made("refunds"))
    assert went in (1700, 1600)
    assert sum(cents for status, cents in await stall.refunds() if status == "succeeded") == went
    assert (await stall.payment()).refunded_cents == went
    assert await stall.states() == SOLD
    assert (await stall.books())["cash"] == PRICE - went
