"""Paid packages: the provider is asked once, and what is bought is given when, and only when, it is paid."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from app.db.models import Licence, Package, PackageVersion, Payment, Purchase, UsageReservation
from app.db.repositories import purchases
from app.domain.api_keys import Role
from app.domain.outbox import Topic
from app.domain.payments import STALE_AFTER
from app.domain.plans import Resource, Tier
from app.services import housekeeping
from app.settlement.purchases import give_up
from tests.support import factories
from tests.support.buying import PRICE, Stall, uuid_of
from tests.support.clients import PASSWORD, make_key, sign_up, sign_up_as

SOLD = ("completed", ["active"], "succeeded", 1, 1, 0, 1)
"""As ``Stall.states`` gives it."""
BEGUN = ("pending", [], "requires_payment_method", 0, 0, 1, 0)


async def test_the_provider_is_asked_for_the_price(stall: Stall) -> None:
    bought = await stall.buy()
    assert bought["errors"] == []
    assert (bought["purchase"]["status"], bought["purchase"]["licence"]) == ("PENDING", None)
    [intent] = stall.intents()
    purchase, payment = bought["purchase"], bought["payment"]
    assert payment == {
        "id": payment["id"],
        "status": "REQUIRES_PAYMENT_METHOD",
        "attempt": 1,
        "failureCode": None,
        "clientSecret": intent["client_secret"],
        "amount": {"amountCents": PRICE},
    }
    assert (intent["amount"], intent["currency"]) == (PRICE, "usd")
    assert intent["automatic_payment_methods"]["enabled"] is True
    assert intent["metadata"] == {
        "purchase_id": str(uuid_of(purchase["id"])),
        "payment_id": str(uuid_of(payment["id"])),
        "user_id": str(stall.buyer_id),
        "package": "theme",
    }
    [customer] = stall.shop.stand_in.form("GET", "/v1/customers").json()["data"]
    assert (intent["customer"], customer["email"]) == (customer["id"], "olive@example.test")
    assert await stall.states() == BEGUN
    assert await stall.books() == {}


async def test_a_buyer_whom_somebody_deleted_at_the_provider_still_buys(stall: Stall) -> None:
    await stall.buy_and_pay()
    [customer] = stall.shop.stand_in.form("GET", "/v1/customers").json()["data"]
    stall.shop.stand_in.form("DELETE", f"/v1/customers/{customer['id']}")
    stall.package = await factories.make_package(stall.database, price_cents=PRICE)
    await factories.make_version(stall.database, package=stall.package)
    await stall.buy_and_pay()
    assert [row.status for row in await stall.rows(Purchase)] == ["completed", "completed"]
    assert await stall.flags() == []


async def test_the_secret_is_the_payers_alone(stall: Stall) -> None:
    bought = await stall.buy()
    document = "query($id: ID!) { node(id: $id) { ... on Payment { status clientSecret } } }"
    readers = {
        "payer": stall.buyer.api,
        "reading key": stall.shop.api.as_(await make_key(stall.buyer, "READ")),
        "support": (await sign_up_as(stall.shop.api, Role.SUPPORT)).api,
    }
    seen = {who: (await api(document, id=bought["payment"]["id"])).payload() for who, api in readers.items()}
    secret = bought["payment"]["clientSecret"]
    assert {who: payment["clientSecret"] for who, payment in seen.items()} == {
        "payer": secret,
        "reading key": None,
        "support": None,
    }
    stranger = await sign_up(stall.shop.api)
    assert (await stranger.api(document, id=bought["payment"]["id"])).payload() is None


async def test_paid_it_is_complete_once(stall: Stall) -> None:
    await stall.buy_and_pay()
    assert await stall.states() == SOLD
    [purchase], [licence] = await stall.rows(Purchase), await stall.rows(Licence)
    assert (purchase.commission_cents, purchase.author_share_cents) == (399, 1600)
    assert (purchase.receipt_number, purchase.completed_at) == ("RG-2026-000001", stall.shop.api.clock.now)
    assert "licensee: olive" in licence.document
    assert await stall.facts(Topic.PURCHASE_COMPLETED) == [{"purchase_id": str(purchase.id)}]
    assert await stall.books() == {"author_payable": -1600, "cash": 1999, "commission": -399}
    payment = await stall.payment()
    assert (payment.client_secret, payment.check_at, payment.failure_code) == (None, None, None)
    before = [await stall.rows(model) for model in (Purchase, Licence, Package)]
    for _ in range(3):
        await stall.settle()
    assert [await stall.rows(model) for model in (Purchase, Licence, Package)] == before
    assert await stall.states() == SOLD


async def test_what_was_paid_is_owned(stall: Stall) -> None:
    await stall.buy_and_pay()
    again = await stall.buy()
    assert [error["code"] for error in again["errors"]] == ["ALREADY_OWNED"]
    assert len(stall.intents()) == 1


async def test_a_decline_is_another_attempt_of_the_same_intent(stall: Stall) -> None:
    await stall.buy()
    intent_id = await stall.intent_id()
    for attempt, card in enumerate(["pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds"], 2):
        stall.shop.act(intent_id, "pay", card=card)
        await stall.settle()
        assert await stall.states() == BEGUN
        assert (await stall.payment()).attempt == attempt
    assert (await stall.payment()).failure_code == "insufficient_funds"
    stall.shop.act(intent_id, "pay")
    await stall.settle()
    assert await stall.states() == SOLD
    payment = await stall.payment()
    assert (payment.attempt, payment.failed_charges, payment.failure_code) == (3, 2, None)
    assert stall.charges() == ["succeeded", "failed", "failed"]


async def test_declines_that_nobody_told_of_are_counted(stall: Stall) -> None:
    await stall.buy()
    intent_id = await stall.intent_id()
    for _ in range(3):
        stall.shop.act(intent_id, "decline")
    stall.shop.act(intent_id, "pay")
    await stall.settle()
    assert (await stall.payment()).attempt == 4


async def test_authentication_is_waited_for(stall: Stall) -> None:
    await stall.buy()
    intent_id = await stall.intent_id()
    stall.shop.act(intent_id, "pay", card="pm_card_authenticationRequired")
    await stall.settle()
    assert await stall.states() == ("pending", [], "requires_action", 0, 0, 1, 0)
    stall.shop.act(intent_id, "refuse")
    await stall.settle()
    payment = await stall.payment()
    assert (payment.attempt, payment.failure_code) == (2, "payment_intent_authentication_failure")
    stall.shop.act(intent_id, "authenticate")
    await stall.settle()
    assert await stall.states() == SOLD


@pytest.mark.parametrize("card", ["pm_usBankAccount", "pm_usBankAccount_insufficientFunds"])
async def test_a_bank_debit_takes_days(stall: Stall, card: str) -> None:
    await stall.buy()
    intent_id = await stall.intent_id()
    stall.shop.act(intent_id, "pay", card=card)
    await stall.settle()
    assert await stall.states() == ("pending", [], "processing", 0, 0, 1, 0)
    assert (await stall.buy())["payment"]["status"] == "PROCESSING"
    await stall.sweep(days=2)
    assert await stall.states() == ("pending", [], "processing", 0, 0, 1, 0)
    await stall.sweep(days=2)
    if card == "pm_usBankAccount":
        assert await stall.states() == SOLD
    else:
        assert (await stall.states())[:3] == ("pending", [], "requires_payment_method")
        await stall.sweep(days=1)
        assert await stall.states() == ("canceled", [], "canceled", 0, 0, 0, 0)
        assert await stall.books() == {}


async def test_the_same_key_replays_the_first_answer(stall: Stall) -> None:
    first = await stall.buy(idempotencyKey="k")
    assert await stall.buy(idempotencyKey="k") == first
    assert len(stall.intents()) == 1
    stall.shop.act(await stall.intent_id(), "pay")
    await stall.settle()
    again = await stall.buy(idempotencyKey="k")
    assert (again["purchase"]["id"], again["payment"]["id"]) == (
        first["purchase"]["id"],
        first["payment"]["id"],
    )
    assert (again["purchase"]["status"], again["payment"]["status"]) == ("COMPLETED", "SUCCEEDED")
    assert again["payment"]["clientSecret"] is None
    assert await stall.states() == SOLD


async def test_a_key_with_other_input_is_refused(stall: Stall) -> None:
    await stall.buy(idempotencyKey="k")
    again = await stall.buy(idempotencyKey="k", version="1.0.0")
    assert [error["code"] for error in again["errors"]] == ["IDEMPOTENCY_KEY_REUSED"]
    assert await stall.states() == BEGUN


async def test_another_key_continues_what_was_begun(stall: Stall) -> None:
    first, again = await stall.buy(idempotencyKey="a"), await stall.buy(idempotencyKey="b")
    assert again == first
    assert await stall.buy(idempotencyKey="b", version=None) == first
    assert len(stall.intents()) == 1
    assert await stall.states() == BEGUN


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_answer_that_never_came_is_not_a_decline(stall: Stall, when: str) -> None:
    stall.shop.lose("/v1/payment_intents", when=when)
    first = await stall.buy(idempotencyKey="k")
    assert [error["code"] for error in first["errors"]] == ["PAYMENT_UNCONFIRMED"]
    assert first["purchase"]["status"] == "PENDING"
    assert (first["payment"]["status"], first["payment"]["clientSecret"]) == ("REQUIRES_PAYMENT_METHOD", None)
    assert (await stall.payment()).attempt == 1
    again = await stall.buy(idempotencyKey="k")
    [intent] = stall.intents()
    assert (again["errors"], again["purchase"]["id"]) == ([], first["purchase"]["id"])
    assert again["payment"]["clientSecret"] == intent["client_secret"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_the_sweeper_asks_again_under_the_same_key(stall: Stall, when: str) -> None:
    stall.shop.lose("/v1/payment_intents", when=when)
    await stall.buy()
    assert await stall.sweep() == 0
    assert await stall.sweep(minutes=2) == 1
    [intent] = stall.intents()
    payment = await stall.payment()
    assert (payment.stripe_payment_intent_id, payment.client_secret) == (
        intent["id"],
        intent["client_secret"],
    )
    assert await stall.sweep() == 0


async def test_an_event_tells_of_the_intent_whose_answer_was_lost(stall: Stall) -> None:
    stall.shop.lose("/v1/payment_intents", when="after")
    await stall.buy(idempotencyKey="k")
    [intent] = stall.intents()
    await stall.settler(intent["id"])()
    payment = await stall.payment()
    assert (payment.stripe_payment_intent_id, payment.client_secret) == (
        intent["id"],
        intent["client_secret"],
    )
    assert (await stall.buy(idempotencyKey="k"))["payment"]["clientSecret"] == intent["client_secret"]
    assert len(stall.intents()) == 1


async def test_a_payment_that_nobody_told_of_is_found(stall: Stall) -> None:
    await stall.buy()
    stall.shop.act(await stall.intent_id(), "pay")
    assert await stall.sweep(minutes=1) == 0
    assert await stall.sweep(minutes=5) == 1
    assert await stall.states() == SOLD
    assert await stall.sweep(days=30) == 0


async def test_a_provider_that_is_down_stays_asked(stall: Stall) -> None:
    await stall.buy()
    stall.shop.act(await stall.intent_id(), "pay")
    stall.shop.stand_in.ask("/faults", kind="error", status=500, path="/v1/*", times=100)
    assert await stall.sweep(minutes=10) == 1
    assert (await stall.states())[0] == "pending"
    stall.shop.stand_in.control.delete("/_sandbox/faults")
    assert await stall.sweep(minutes=1) == 0
    assert await stall.sweep(minutes=5) == 1
    assert await stall.states() == SOLD


async def test_what_nobody_pays_is_given_up_after_a_day(stall: Stall) -> None:
    await stall.buy()
    for _ in range(30):
        await stall.sweep(hours=1)
    assert await stall.states() == ("canceled", [], "canceled", 0, 0, 0, 0)
    assert [intent["status"] for intent in stall.intents()] == ["canceled"]
    payment = await stall.payment()
    assert (payment.check_at, payment.client_secret) == (None, None)
    again = await stall.buy()
    assert (again["errors"], again["purchase"]["status"]) == ([], "PENDING")
    assert len(stall.intents()) == 2


async def test_what_could_never_be_asked_for_is_given_up_too(stall: Stall) -> None:
    stall.shop.stand_in.ask(
        "/faults", kind="error", status=500, method="POST", path="/v1/payment_intents", times=9
    )
    await stall.buy()
    await stall.sweep(hours=STALE_AFTER.total_seconds() / 3600)
    assert await stall.states() == ("canceled", [], "canceled", 0, 0, 0, 0)
    assert stall.intents() == []


async def test_paid_at_the_last_moment_it_is_complete(stall: Stall) -> None:
    await stall.buy()
    stall.shop.act(await stall.intent_id(), "pay")
    await stall.sweep(hours=25)
    assert await stall.states() == SOLD
    assert stall.charges() == ["succeeded"]


@pytest.mark.parametrize(
    ("cents", "currency", "reason"),
    [(1, "USD", "amount_too_small"), (12_345, "KWD", "parameter_invalid_integer")],
)
async def test_a_price_that_the_provider_does_not_take(
    stall: Stall, cents: int, currency: str, reason: str
) -> None:
    await _price(stall, cents, currency)
    bought = await stall.buy(idempotencyKey="k")
    assert bought["errors"] == [{**bought["errors"][0], "code": "PAYMENT_REFUSED", "reason": reason}]
    assert bought["purchase"]["status"] == "CANCELED"
    assert await stall.states() == ("canceled", [], "canceled", 0, 0, 0, 0)
    again = await stall.buy(idempotencyKey="k")
    assert [(error["code"], error["reason"]) for error in again["errors"]] == [("PAYMENT_REFUSED", reason)]


async def _price(stall: Stall, cents: int, currency: str = "USD") -> None:
    async with stall.database.transaction() as connection:
        await connection.execute(
            update(Package).where(Package.id == stall.package.id).values(price_cents=cents, currency=currency)
        )


@pytest.mark.parametrize("currency, sold", [("JPY", True), ("ISK", False), ("MGA", False)])
async def test_amounts_mean_the_same_at_the_provider(stall: Stall, currency: str, sold: bool) -> None:
    async with stall.database.transaction() as connection:
        await connection.execute(update(Package).values(currency=currency))
    bought = await stall.buy()
    if sold:
        assert [(each["amount"], each["currency"]) for each in stall.intents()] == [(PRICE, currency.lower())]
    else:
        assert [error["code"] for error in bought["errors"]] == ["INVALID_STATE"]
        assert (await stall.rows(Purchase), stall.intents()) == ([], [])


async def test_another_price_begins_anew(stall: Stall) -> None:
    first = await stall.buy(idempotencyKey="a")
    await _price(stall, 2500)
    again = await stall.buy(idempotencyKey="b")
    assert again["errors"] == []
    assert again["purchase"]["id"] != first["purchase"]["id"]
    assert again["payment"]["amount"] == {"amountCents": 2500}
    assert [(each["amount"], each["status"]) for each in stall.intents()] == [
        (2500, "requires_payment_method"),
        (PRICE, "canceled"),
    ]
    assert [row.status for row in await stall.rows(Purchase)] == ["canceled", "pending"]
    assert await stall.templates() == (0, 1)
    replayed = await stall.buy(idempotencyKey="a")
    assert (replayed["purchase"]["id"], replayed["purchase"]["status"]) == (
        first["purchase"]["id"],
        "CANCELED",
    )


async def test_a_newer_version_begins_anew(stall: Stall) -> None:
    await stall.buy()
    await factories.make_version(stall.database, package=stall.package, version="2.0.0")
    await stall.buy()
    assert [row.status for row in await stall.rows(Purchase)] == ["canceled", "pending"]


async def test_made_free_it_costs_nothing_any_more(stall: Stall) -> None:
    await stall.buy()
    await _price(stall, 0)
    bought = await stall.buy()
    assert (bought["errors"], bought["purchase"]["status"], bought["payment"]) == ([], "COMPLETED", None)
    assert await stall.templates() == (1, 0)
    assert await stall.books() == {}


async def test_what_was_paid_at_the_old_price_is_not_begun_anew(stall: Stall) -> None:
    """Between the look at the row and the provider's no, it was paid: that settles it."""
    await stall.buy()
    stall.shop.act(await stall.intent_id(), "pay")
    await _price(stall, 2500)
    again = await stall.buy()
    assert [error["code"] for error in again["errors"]] == ["ALREADY_OWNED"]
    assert await stall.states() == SOLD


async def test_what_is_under_way_at_the_old_price_is_waited_for(stall: Stall) -> None:
    await stall.buy()
    stall.shop.act(await stall.intent_id(), "pay", card="pm_usBankAccount")
    await stall.settle()
    await _price(stall, 2500)
    again = await stall.buy()
    assert [error["code"] for error in again["errors"]] == ["INVALID_STATE"]
    assert len(stall.intents()) == 1


async def test_a_withdrawal_without_an_answer_is_tried_again(stall: Stall) -> None:
    await stall.buy()
    intent_id = await stall.intent_id()
    await _price(stall, 2500)
    stall.shop.lose(f"/v1/payment_intents/{intent_id}/cancel", when="after")
    refused = await stall.buy(idempotencyKey="b")
    assert [error["code"] for error in refused["errors"]] == ["PAYMENT_UNCONFIRMED"]
    assert refused["purchase"] is None
    again = await stall.buy(idempotencyKey="b")
    assert (again["errors"], again["payment"]["amount"]) == ([], {"amountCents": 2500})
    assert await stall.templates() == (0, 1)


@pytest.mark.parametrize("change", ["yanked", "version yanked", "price"])
async def test_what_changes_after_the_intent_changes_nothing(stall: Stall, change: str) -> None:
    await stall.buy()
    changes: dict[str, Any] = {
        "yanked": update(Package).values(status="yanked"),
        "version yanked": update(PackageVersion).values(status="yanked", yanked_at=stall.shop.api.clock.now),
        "price": update(Package).values(price_cents=9999),
    }
    async with stall.database.transaction() as connection:
        await connection.execute(changes[change])
    stall.shop.act(await stall.intent_id(), "pay")
    await stall.settle()
    assert await stall.states() == SOLD
    assert await stall.books() == {"author_payable": -1600, "cash": 1999, "commission": -399}


async def test_an_account_that_ended_gets_its_money_back(stall: Stall) -> None:
    await stall.buy()
    intent_id = await stall.intent_id()
    await stall.buyer.api(
        f'mutation {{ deleteAccount(input: {{password: "{PASSWORD}"}}) {{ errors {{ code }} }} }}'
    )
    stall.shop.act(intent_id, "pay")
    await stall.settle()
    assert await stall.states() == ("canceled", [], "succeeded", 0, 0, 0, 0)
    assert await stall.refunds() == [("pending", PRICE)]
    assert await stall.sweep() == 1
    assert await stall.refunds() == [("succeeded", PRICE)]
    await stall.settle()
    assert await stall.sweep(days=1) == 0
    assert await stall.refunds() == [("succeeded", PRICE)]
    assert await stall.books() == {}


async def test_what_the_bank_does_not_take_back_is_not_sent_again(stall: Stall) -> None:
    await stall.buy()
    intent_id = await stall.intent_id()
    await stall.buyer.api(
        f'mutation {{ deleteAccount(input: {{password: "{PASSWORD}"}}) {{ errors {{ code }} }} }}'
    )
    stall.shop.act(intent_id, "pay", card="pm_card_refundFail")
    await stall.settle()
    assert await stall.sweep() == 1
    await stall.settle()
    assert await stall.refunds() == [("failed", PRICE)]
    assert await stall.sweep(days=1) == 0
    assert await stall.states() == ("canceled", [], "succeeded", 0, 0, 0, 0)


async def test_an_account_that_ended_pays_no_more(stall: Stall) -> None:
    await stall.buy()
    await stall.buyer.api(
        f'mutation {{ deleteAccount(input: {{password: "{PASSWORD}"}}) {{ errors {{ code }} }} }}'
    )
    assert await stall.sweep() == 1
    assert await stall.states() == ("canceled", [], "canceled", 0, 0, 0, 0)
    assert [intent["status"] for intent in stall.intents()] == ["canceled"]


MISMATCHES = {
    "amount": update(Payment).values(amount_cents=PRICE + 1),
    "currency": update(Payment).values(currency="EUR"),
}


@pytest.mark.parametrize("what, status", [("amount", "pending"), ("currency", "canceled")])
async def test_other_money_than_was_asked_for_grants_nothing(stall: Stall, what: str, status: str) -> None:
    """A person hears of it, also where the purchase was given up before."""
    await stall.buy()
    async with stall.database.transaction() as connection:
        await connection.execute(MISMATCHES[what])
    if status == "canceled":
        async with stall.database.transaction() as connection:
            await give_up(connection, await purchases.lock(connection, (await stall.payment()).purchase_id))
    stall.shop.act(await stall.intent_id(), "pay")
    await stall.settle()
    await stall.settle()
    assert await stall.states() == ("canceled", [], "succeeded", 0, 0, 0, 0)
    assert await stall.flags() == ["mismatch"]
    assert await stall.refunds() == []
    assert await stall.books() == {}


async def test_another_payers_money_grants_nothing(stall: Stall) -> None:
    await stall.buy()
    stranger = stall.shop.stand_in.form("POST", "/v1/customers", {"name": "X"}).json()["id"]
    intent_id = await stall.intent_id()
    stall.shop.stand_in.form("POST", f"/v1/payment_intents/{intent_id}", {"customer": stranger})
    stall.shop.act(intent_id, "pay")
    await stall.settle()
    assert await stall.states() == ("canceled", [], "succeeded", 0, 0, 0, 0)
    assert await stall.flags() == ["mismatch"]


async def test_money_by_an_intent_that_we_do_not_know_is_for_a_person(stall: Stall) -> None:
    bought = await stall.buy()
    metadata = {
        "metadata[payment_id]": str(uuid_of(bought["payment"]["id"])),
        "amount": "1999", "currency": "usd", "automatic_payment_methods[enabled]": "true",
    }  # fmt: skip
    other = stall.shop.stand_in.form("POST", "/v1/payment_intents", metadata).json()["id"]
    stall.shop.act(other, "pay")
    for _ in range(2):
        await stall.settler(other)()
    assert await stall.states() == BEGUN
    assert await stall.flags() == ["stray"]


async def test_a_canceled_intent_is_a_canceled_purchase(stall: Stall) -> None:
    await stall.buy()
    stall.shop.stand_in.form("POST", f"/v1/payment_intents/{await stall.intent_id()}/cancel")
    await stall.settle()
    assert await stall.states() == ("canceled", [], "canceled", 0, 0, 0, 0)


async def test_money_for_what_was_given_up_goes_back(stall: Stall) -> None:
    await stall.buy()
    async with stall.database.transaction() as connection:
        await connection.execute(update(Purchase).values(status="canceled"))
    stall.shop.act(await stall.intent_id(), "pay")
    await stall.settle()
    await stall.settle()
    assert await stall.refunds() == [("pending", PRICE)]
    await stall.sweep()
    assert await stall.refunds() == [("succeeded", PRICE)]
    assert (await stall.states())[:3] == ("canceled", [], "succeeded")


async def test_no_template_is_left_when_it_is_bought(stall: Stall) -> None:
    """The quota refuses before anybody is asked for money, and counts what is only promised."""
    plan = stall.shop.api.deps.plans
    for _ in range(20):
        package = await factories.make_package(stall.database, price_cents=PRICE)
        await factories.make_version(stall.database, package=package)
        stall.package = package
        answer = await stall.buy()
        if answer["errors"]:
            break
    assert [error["code"] for error in answer["errors"]] == ["QUOTA_EXCEEDED"]
    limit = plan[Tier.FREE].limits[Resource.TEMPLATE_INSTALL]
    assert await stall.templates() == (0, limit)
    assert len(stall.intents()) == limit


async def test_a_promise_that_ran_out_is_kept_all_the_same(stall: Stall) -> None:
    await stall.buy()
    async with stall.database.transaction() as connection:
        await connection.execute(update(UsageReservation).values(expires_at=stall.shop.api.clock.now))
    assert await housekeeping.expire_reservations(database=stall.database, now=stall.shop.api.clock.now) == 1
    assert await stall.templates() == (0, 0)
    stall.shop.act(await stall.intent_id(), "pay")
    await stall.settle()
    assert await stall.states() == SOLD


async def test_buying_twice_at_once_is_one_payment(stall: Stall) -> None:
    answers = await asyncio.gather(*(stall.buy() for _ in range(5)))
    assert [answer["errors"] for answer in answers] == [[]] * 5
    assert len({answer["purchase"]["id"] for answer in answers}) == 1
    assert len(stall.intents()) == 1
    assert await stall.states() == BEGUN


async def test_settling_at_once_is_one_sale(stall: Stall) -> None:
    await stall.buy()
    stall.shop.act(await stall.intent_id(), "pay")
    await asyncio.gather(*(stall.settle() for _ in range(5)))
    assert await stall.states() == SOLD
    assert stall.charges() == ["succeeded"]


async def test_two_buyers_are_two_sales(stall: Stall) -> None:
    await stall.buy()
    await stall.buy(by=await sign_up(stall.shop.api))
    for payment in await stall.rows(Payment):
        stall.shop.act(payment.stripe_payment_intent_id, "pay")
    await stall.settle()
    assert [row.receipt_number for row in await stall.rows(Purchase)] == ["RG-2026-000001", "RG-2026-000002"]
    assert await stall.books() == {"author_payable": -3200, "cash": 3998, "commission": -798}
