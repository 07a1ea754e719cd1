"""Ways to pay: added by the provider's form, mirrored, chosen, removed; no card's number anywhere."""

import asyncio
from dataclasses import fields
from typing import Any

import pytest
from sqlalchemy import select

from app.db.models import PaymentMethod
from app.schema.node import global_id, split_id
from app.schema.paying import StartAddPaymentMethodInput
from tests.support.subscribing import Subscriber, make_subscriber, new_key

START = """mutation($input: StartAddPaymentMethodInput!) { startAddPaymentMethod(input: $input) {
    clientSecret errors { code path } } }"""
DEFAULT = """mutation($input: SetDefaultPaymentMethodInput!) { setDefaultPaymentMethod(input: $input) {
    paymentMethod { last4 isDefault } errors { code path } } }"""
REMOVE = """mutation($input: RemovePaymentMethodInput!) { removePaymentMethod(input: $input) {
    removedId errors { code path } } }"""


async def add(subscriber: Subscriber, card: str = "pm_card_visa") -> str:
    """Through the form, as a person would; our id of it."""
    before = {method["id"] for method in await subscriber.methods()}
    started = await subscriber.session(START, idempotencyKey=new_key())
    assert started["errors"] == []
    subscriber.pay(started["clientSecret"], card=card)
    await subscriber.hear()
    [added] = [method["id"] for method in await subscriber.methods() if method["id"] not in before]
    return str(added)


def shown(methods: list[Any]) -> list[tuple[str, bool]]:
    return [(method["last4"], method["isDefault"]) for method in methods]


async def test_what_the_form_saved_is_shown_and_the_first_is_the_default(subscriber: Subscriber) -> None:
    await add(subscriber)
    assert [{**method, "id": None} for method in await subscriber.methods()] == [
        {
            "id": None,
            "kind": "card",
            "brand": "visa",
            "last4": "4242",
            "expMonth": 12,
            "expYear": 2034,
            "isDefault": True,
        }
    ]
    await add(subscriber, "pm_card_mastercard")
    assert shown(await subscriber.methods()) == [("4444", False), ("4242", True)]


async def test_the_same_key_is_the_same_form(subscriber: Subscriber) -> None:
    key = new_key()
    first = await subscriber.session(START, idempotencyKey=key)
    assert await subscriber.session(START, idempotencyKey=key) == first
    assert len(subscriber.client.v1.setup_intents.list().data) == 1
    refused = await subscriber.session(START, idempotencyKey="")
    assert [error["code"] for error in refused["errors"]] == ["BAD_USER_INPUT"]


async def test_choosing_what_pays(subscriber: Subscriber) -> None:
    await add(subscriber)
    other = await add(subscriber, "pm_card_mastercard")
    chosen = await subscriber.session(DEFAULT, paymentMethodId=other)
    assert chosen == {"paymentMethod": {"last4": "4444", "isDefault": True}, "errors": []}
    assert shown(await subscriber.methods()) == [("4444", True), ("4242", False)]
    await subscriber.change()
    await subscriber.hear()
    intent = subscriber.client.v1.payment_intents.list({"customer": subscriber.customer}).data[0]
    method = subscriber.client.v1.payment_methods.retrieve(str(intent.payment_method))
    assert method["card"]["last4"] == "4444"


async def test_a_new_default_also_pays_a_running_subscription(subscriber: Subscriber) -> None:
    changed = await subscriber.change()
    subscriber.pay(changed["clientSecret"])
    await subscriber.hear()
    assert shown(await subscriber.methods()) == [("4242", True)]
    other = await add(subscriber, "pm_card_mastercard")
    await subscriber.session(DEFAULT, paymentMethodId=other)
    subscriber.shop.forward(days=31)
    assert charged(subscriber) == ["4444", "4242"]


async def test_what_paid_the_start_is_charged_next_rather_than_the_default_that_was_declined(
    subscriber: Subscriber,
) -> None:
    """A subscription keeps what paid its first invoice, and that goes before its customer's default."""
    declined = await add(subscriber, "pm_card_chargeCustomerFail")
    subscriber.pay((await subscriber.change())["clientSecret"], card="pm_card_mastercard")
    await subscriber.hear()
    assert shown(await subscriber.methods()) == [("4444", True), ("0341", False)]
    subscriber.shop.forward(days=31)
    assert charged(subscriber) == ["4444", "4444", "0341"]
    chosen = await subscriber.session(DEFAULT, paymentMethodId=declined)
    assert chosen == {"paymentMethod": {"last4": "0341", "isDefault": True}, "errors": []}
    assert shown(await subscriber.methods()) == [("4444", False), ("0341", True)]
    subscriber.shop.forward(days=31)
    assert charged(subscriber) == ["0341", "4444", "4444", "0341"]


async def test_without_what_paid_the_subscription_its_customers_default_is_charged(
    subscriber: Subscriber,
) -> None:
    await add(subscriber)
    [first] = await subscriber.methods()
    await subscriber.change()
    own = await add(subscriber, "pm_card_mastercard")
    [method] = [each.id for each in saved(subscriber) if each["card"]["last4"] == "4444"]
    subscriber.client.v1.subscriptions.update(
        subscriber.subscriptions()[0].id, {"default_payment_method": method}
    )
    await subscriber.hear()
    assert [each["last4"] for each in await subscriber.methods() if each["isDefault"]] == ["4444"]
    assert (await subscriber.session(REMOVE, paymentMethodId=own))["errors"] == []
    assert [each["id"] for each in await subscriber.methods() if each["isDefault"]] == [first["id"]]
    subscriber.shop.forward(days=31)
    assert charged(subscriber) == ["4242", "4242"]


async def test_a_new_card_does_not_take_the_place_of_what_pays_the_subscription(
    subscriber: Subscriber,
) -> None:
    """Although the customer has no default yet: of neither card anything was heard."""
    subscriber.pay((await subscriber.change())["clientSecret"])
    subscriber.save_card("pm_card_mastercard", default=False)
    await subscriber.hear()
    assert shown(await subscriber.methods()) == [("4444", False), ("4242", True)]
    subscriber.shop.forward(days=31)
    assert charged(subscriber) == ["4242", "4242"]


async def test_of_two_that_are_chosen_at_once_one_pays_everything(subscriber: Subscriber) -> None:
    ids = [await add(subscriber), await add(subscriber, "pm_card_mastercard")]
    await subscriber.change()
    subscriber.shop.stand_in.ask(
        "/faults",
        kind="delay",
        when="before",
        method="POST",
        path="/v1/subscriptions/*",
        seconds=0.3,
        times=1,
    )
    answers = await asyncio.gather(*(subscriber.session(DEFAULT, paymentMethodId=each) for each in ids))
    assert [answer["errors"] for answer in answers] == [[], []]
    customer = subscriber.client.v1.customers.retrieve(subscriber.customer)
    [paid] = subscriber.subscriptions()
    assert customer.invoice_settings is not None
    assert paid.default_payment_method == customer.invoice_settings.default_payment_method


@pytest.mark.parametrize("status", ["paused", "unpaid"])
async def test_what_comes_back_is_paid_by_the_default_that_was_chosen_meanwhile(
    subscriber: Subscriber, status: str
) -> None:
    await add(subscriber)
    await subscriber.change()
    other = await add(subscriber, "pm_card_mastercard")
    [made] = subscriber.subscriptions()
    if status == "paused":
        subscriber.client.v1.subscriptions.pause(made.id, {"type": "subscription"})
    else:
        [key] = [each.id for each in saved(subscriber) if each["card"]["last4"] == "4242"]
        subscriber.shop.stand_in.ask("/settings", after_last_retry="unpaid")
        subscriber.shop.stand_in.ask(f"/payment_methods/{key}", card="pm_card_chargeCustomerFail")
        subscriber.shop.forward(days=52)
    await subscriber.hear()
    assert (subscriber.subscriptions()[0].status, await subscriber.tier()) == (status, "free")
    assert (await subscriber.session(DEFAULT, paymentMethodId=other))["errors"] == []
    [method] = [each.id for each in saved(subscriber) if each["card"]["last4"] == "4444"]
    assert subscriber.subscriptions()[0].default_payment_method == method
    if status == "paused":
        subscriber.client.v1.subscriptions.resume(made.id)
    await subscriber.hear()
    assert (subscriber.subscriptions()[0].status, await subscriber.tier()) == ("active", "pro")
    assert [each["last4"] for each in await subscriber.methods() if each["isDefault"]] == ["4444"]
    subscriber.shop.forward(days=31)
    assert charged(subscriber)[0] == "4444"


async def test_a_default_is_chosen_also_where_a_subscription_has_ended_unheard(
    subscriber: Subscriber,
) -> None:
    await add(subscriber)
    await subscriber.change()
    other = await add(subscriber, "pm_card_mastercard")
    subscriber.client.v1.subscriptions.cancel(subscriber.subscriptions()[0].id)
    chosen = await subscriber.session(DEFAULT, paymentMethodId=other)
    assert chosen == {"paymentMethod": {"last4": "4444", "isDefault": True}, "errors": []}
    assert await subscriber.tier() == "free"


def saved(subscriber: Subscriber) -> list[Any]:
    return list(subscriber.client.v1.payment_methods.list({"customer": subscriber.customer}).data)


def charged(subscriber: Subscriber) -> list[str]:
    """The last four digits of what each charge was tried on, the newest first."""
    charges = subscriber.client.v1.charges.list({"customer": subscriber.customer}).data
    return [str(charge["payment_method_details"]["card"]["last4"]) for charge in charges]


async def test_removing_the_default_passes_it_on(subscriber: Subscriber) -> None:
    first = await add(subscriber)
    await add(subscriber, "pm_card_mastercard")
    removed = await subscriber.session(REMOVE, paymentMethodId=first)
    assert removed == {"removedId": first, "errors": []}
    assert shown(await subscriber.methods()) == [("4444", True)]
    again = await subscriber.session(REMOVE, paymentMethodId=first)
    assert [error["code"] for error in again["errors"]] == ["NOT_FOUND"]
    await subscriber.hear()
    assert shown(await subscriber.methods()) == [("4444", True)]
    assert len(subscriber.client.v1.payment_methods.list({"customer": subscriber.customer}).data) == 1


async def test_the_last_one_of_a_live_subscription_stays(subscriber: Subscriber) -> None:
    only = await add(subscriber)
    await subscriber.change()
    kept = await subscriber.session(REMOVE, paymentMethodId=only)
    assert [error["code"] for error in kept["errors"]] == ["LAST_PAYMENT_METHOD"]
    assert shown(await subscriber.methods()) == [("4242", True)]
    await subscriber.cancel(at_period_end=False)
    assert (await subscriber.session(REMOVE, paymentMethodId=only))["errors"] == []
    assert await subscriber.methods() == []


async def test_of_two_that_remove_the_last_two_at_once_one_is_refused(subscriber: Subscriber) -> None:
    ids = [await add(subscriber), await add(subscriber, "pm_card_mastercard")]
    await subscriber.change()
    answers = await asyncio.gather(*(subscriber.session(REMOVE, paymentMethodId=each) for each in ids))
    codes = sorted([error["code"] for error in answer["errors"]] for answer in answers)
    assert codes == [[], ["LAST_PAYMENT_METHOD"]]
    await subscriber.hear()
    assert [default for _, default in shown(await subscriber.methods())] == [True]


async def test_what_was_removed_elsewhere_does_not_count(subscriber: Subscriber) -> None:
    first = await add(subscriber)
    second = await add(subscriber, "pm_card_mastercard")
    await subscriber.change()
    rows = await rows_of(subscriber)
    key = next(row.stripe_payment_method_id for row in rows if row.id == (split_id(second) or ("", None))[1])
    subscriber.client.v1.payment_methods.detach(key)
    kept = await subscriber.session(REMOVE, paymentMethodId=first)
    assert [error["code"] for error in kept["errors"]] == ["LAST_PAYMENT_METHOD"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_removal_that_the_provider_did_not_answer_is_finished_by_a_job(
    subscriber: Subscriber, when: str
) -> None:
    only = await add(subscriber)
    subscriber.shop.lose("/v1/payment_methods/*/detach", when=when)
    assert (await subscriber.session(REMOVE, paymentMethodId=only))["errors"] == []
    assert await subscriber.methods() == []
    await subscriber.hear()
    assert await subscriber.methods() == []
    assert subscriber.client.v1.payment_methods.list({"customer": subscriber.customer}).data == []


async def test_another_accounts_is_nobodys(subscriber: Subscriber) -> None:
    own = await add(subscriber)
    other = await make_subscriber(subscriber.shop)
    for document in (DEFAULT, REMOVE):
        answer = await other.session(document, paymentMethodId=own)
        assert [error["code"] for error in answer["errors"]] == ["NOT_FOUND"]
        odd = await subscriber.session(document, paymentMethodId=global_id("User", subscriber.user_id))
        assert [error["code"] for error in odd["errors"]] == ["BAD_USER_INPUT"]
    assert shown(await subscriber.methods()) == [("4242", True)]


def test_there_is_no_place_for_the_number_of_a_card() -> None:
    """What is not listed here is neither taken nor kept, whatever the provider tells of a card."""
    assert set(PaymentMethod.__table__.columns.keys()) == {
        *("id", "user_id", "stripe_payment_method_id", "kind", "brand", "last4", "exp_month", "exp_year"),
        *("is_default", "created_at", "removed_at"),
    }
    assert {field.name for field in fields(StartAddPaymentMethodInput)} == {"idempotency_key"}


async def rows_of(subscriber: Subscriber) -> list[Any]:
    async with subscriber.shop.api.deps.database.read() as connection:
        statement = select(*PaymentMethod.__table__.columns)
        return list((await connection.execute(statement)).all())
