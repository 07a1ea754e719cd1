"""Changing the plan through the API, with the stand-in as the provider: quotes, starts, changes, ends."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from app.db.models import TierChange
from app.db.repositories import subscriptions
from app.jobs import settle_tier_changes
from tests.support.subscribing import Subscriber, make_subscriber, new_key

NOVEMBER, DECEMBER = datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 12, 22, 12, tzinfo=UTC)


def codes(payload: Any) -> list[str]:
    return [error["code"] for error in payload["errors"]]


def spelt(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def changes(subscriber: Subscriber) -> list[Any]:
    statement = select(*TierChange.__table__.columns).order_by(TierChange.id)
    async with subscriber.shop.api.deps.database.read() as connection:
        return list((await connection.execute(statement)).all())


async def test_a_first_quote(subscriber: Subscriber) -> None:
    quote = (await subscriber.preview())["quote"]
    assert (quote["tier"], quote["interval"]) == ("PRO", "MONTH")
    assert quote["dueNow"] == {"amountCents": 2900, "currency": "USD"}
    assert quote["dueNext"] == {"amountCents": 2900}
    assert quote["proration"] == {"amountCents": 0}
    assert quote["nextBillingAt"] == spelt(DECEMBER)
    assert quote["expiresAt"] == "2026-11-22T12:15:00.000Z"
    [line] = quote["lines"]
    assert (line["amount"], line["proration"]) == ({"amountCents": 2900}, False)
    assert (line["periodStart"], line["periodEnd"]) == (spelt(NOVEMBER), spelt(DECEMBER))
    assert subscriber.subscriptions() == []


async def test_a_start_waits_for_its_first_payment(subscriber: Subscriber) -> None:
    changed = await subscriber.change()
    assert changed["errors"] == []
    assert changed["subscription"]["status"] == "INCOMPLETE"
    assert await subscriber.tier() == "free"
    assert (await subscriber.seen())["tier"] == "FREE"
    subscriber.pay(changed["clientSecret"])
    await subscriber.bring_up_to_date()
    seen = await subscriber.seen()
    assert (seen["tier"], seen["status"], seen["price"]) == ("PRO", "ACTIVE", {"formatted": "$29.00"})
    assert await subscriber.tier() == "pro"
    assert subscriber.subscriptions()[0].default_payment_method is not None


async def test_a_saved_default_method_pays_at_once(subscriber: Subscriber) -> None:
    subscriber.save_card()
    changed = await subscriber.change(interval="YEAR")
    assert (changed["errors"], changed["clientSecret"]) == ([], None)
    assert (changed["subscription"]["status"], changed["subscription"]["interval"]) == ("ACTIVE", "YEAR")
    assert await subscriber.tier() == "pro"
    [invoice] = subscriber.invoices()
    assert (invoice.status, invoice.amount_paid) == ("paid", 29_000)


async def test_a_declined_default_method_leaves_the_start_to_another_card(subscriber: Subscriber) -> None:
    subscriber.save_card("pm_card_chargeCustomerFail")
    changed = await subscriber.change()
    assert [(error["code"], error["declineCode"]) for error in changed["errors"]] == [
        ("PAYMENT_DECLINED", "generic_decline")
    ]
    assert changed["subscription"]["status"] == "INCOMPLETE"
    subscriber.pay(changed["clientSecret"], card="pm_card_mastercard")
    await subscriber.bring_up_to_date()
    assert await subscriber.tier() == "pro"
    assert len(subscriber.subscriptions()) == 1


async def test_a_method_that_needs_authentication_asks_the_payer(subscriber: Subscriber) -> None:
    subscriber.save_card("pm_card_authenticationRequired")
    changed = await subscriber.change()
    assert changed["errors"] == []
    assert changed["subscription"]["status"] == "INCOMPLETE"
    subscriber.pay(changed["clientSecret"], "authenticate")
    await subscriber.bring_up_to_date()
    assert await subscriber.tier() == "pro"


async def test_a_start_that_nobody_pays_expires_and_may_begin_again(subscriber: Subscriber) -> None:
    await subscriber.change()
    subscriber.shop.forward(hours=24)
    await subscriber.bring_up_to_date()
    assert [row.status for row in await subscriber.rows()] == ["active", "incomplete_expired"]
    subscriber.save_card()
    assert (await subscriber.change())["subscription"]["status"] == "ACTIVE"
    assert await subscriber.tier() == "pro"


async def test_another_start_takes_the_place_of_one_that_was_not_paid(subscriber: Subscriber) -> None:
    first = await subscriber.change()
    second = await subscriber.change(interval="YEAR")
    assert second["errors"] == []
    rows = await subscriber.rows()
    assert [(row.status, row.billing_interval) for row in rows[1:]] == [
        ("incomplete_expired", "month"),
        ("incomplete", "year"),
    ]
    assert subscriber.pay(second["clientSecret"])["error"] is None
    await subscriber.bring_up_to_date()
    assert (await subscriber.seen())["interval"] == "YEAR"
    assert first["clientSecret"] != second["clientSecret"]
    assert [invoice.status for invoice in subscriber.invoices()] == ["paid", "void"]


async def test_an_earlier_start_that_was_just_paid_is_kept(subscriber: Subscriber) -> None:
    first = await subscriber.change()
    quote = (await subscriber.preview(interval="YEAR"))["quote"]["id"]
    subscriber.pay(first["clientSecret"])
    second = await subscriber.change(interval="YEAR", quote=quote)
    assert [(error["code"], error["reason"]) for error in second["errors"]] == [
        ("PAYMENT_REFUSED", "paid_meanwhile")
    ]
    assert (await subscriber.seen())["interval"] == "MONTH"
    assert len(subscriber.subscriptions()) == 1


async def test_an_upgrade_is_prorated_to_the_moment_of_the_quote(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change()
    subscriber.shop.forward(days=15)
    quote = (await subscriber.preview("ENTERPRISE"))["quote"]
    assert [line["amount"]["amountCents"] for line in quote["lines"]] == [-1450, 4950]
    assert quote["dueNow"]["amountCents"] == quote["proration"]["amountCents"] == 3500
    assert quote["dueNext"] == {"amountCents": 9900}
    assert quote["nextBillingAt"] == spelt(DECEMBER)
    subscriber.shop.forward(minutes=10)
    changed = await subscriber.change("ENTERPRISE", quote=quote["id"])
    assert changed["errors"] == []
    assert changed["subscription"]["tier"] == "ENTERPRISE"
    assert await subscriber.tier() == "enterprise"
    assert [invoice.amount_paid for invoice in subscriber.invoices()] == [3500, 2900]


async def test_an_upgrade_to_the_year_begins_a_new_period(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change()
    subscriber.shop.forward(days=15)
    quote = (await subscriber.preview(interval="YEAR"))["quote"]
    assert (quote["dueNow"]["amountCents"], quote["proration"]["amountCents"]) == (27550, -1450)
    assert quote["nextBillingAt"] == "2027-12-07T12:00:00.000Z"
    changed = await subscriber.change(interval="YEAR", quote=quote["id"])
    assert changed["subscription"]["currentPeriodEnd"] == "2027-12-07T12:00:00.000Z"
    first, paid = await subscriber.rows()
    assert paid.anchor_at == first.anchor_at
    assert subscriber.invoices()[0].amount_paid == 27_550


async def test_a_declined_upgrade_changes_nothing(subscriber: Subscriber) -> None:
    method = subscriber.save_card()
    await subscriber.change(interval="YEAR")
    await subscriber.change(interval="MONTH")
    subscriber.shop.stand_in.ask(f"/payment_methods/{method}", card="pm_card_chargeCustomerFail")
    changed = await subscriber.change("ENTERPRISE", "YEAR")
    assert [(error["code"], error["declineCode"]) for error in changed["errors"]] == [
        ("PAYMENT_DECLINED", "generic_decline")
    ]
    seen = await subscriber.seen()
    assert (seen["tier"], seen["status"]) == ("PRO", "ACTIVE")
    assert (seen["scheduledTier"], seen["scheduledInterval"]) == ("PRO", "MONTH")
    assert [invoice.status for invoice in subscriber.invoices()] == ["void", "paid"]
    assert subscriber.subscriptions()[0].pending_update is None
    [_, _, change] = await changes(subscriber)
    assert (change.status, change.failure_code, change.check_at) == ("failed", "generic_decline", None)


async def test_a_downgrade_comes_at_the_end_of_the_period(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change("ENTERPRISE")
    subscriber.shop.forward(days=10)
    quote = (await subscriber.preview("PRO"))["quote"]
    assert (quote["dueNow"]["amountCents"], quote["dueNext"]["amountCents"]) == (0, 2900)
    assert quote["nextBillingAt"] == spelt(DECEMBER)
    [line] = quote["lines"]
    assert (line["periodStart"], line["periodEnd"]) == (spelt(DECEMBER), "2027-01-22T12:00:00.000Z")
    changed = await subscriber.change("PRO", quote=quote["id"])
    assert changed["errors"] == []
    assert (changed["subscription"]["tier"], changed["subscription"]["scheduledTier"]) == (
        "ENTERPRISE",
        "PRO",
    )
    assert await subscriber.tier() == "enterprise"
    subscriber.shop.forward(days=20, hours=2)
    await subscriber.bring_up_to_date()
    seen = await subscriber.seen()
    assert (seen["tier"], seen["scheduledTier"], seen["status"]) == ("PRO", None, "ACTIVE")
    assert await subscriber.tier() == "pro"
    assert [invoice.amount_paid for invoice in subscriber.invoices()] == [2900, 9900]
    subscriber.shop.forward(days=31)
    await subscriber.bring_up_to_date()
    assert (await subscriber.seen())["tier"] == "PRO"


@pytest.mark.parametrize("back", ["resume", "change"])
async def test_a_downgrade_can_be_taken_back(subscriber: Subscriber, back: str) -> None:
    subscriber.save_card()
    await subscriber.change(interval="YEAR")
    assert (await subscriber.change(interval="MONTH"))["subscription"]["scheduledInterval"] == "MONTH"
    assert codes(await subscriber.change(interval="MONTH")) == ["CONFLICT"]
    taken = await (subscriber.resume() if back == "resume" else subscriber.change(interval="YEAR"))
    assert taken["errors"] == []
    assert (taken["subscription"]["interval"], taken["subscription"]["scheduledTier"]) == ("YEAR", None)
    subscriber.shop.forward(days=366)
    await subscriber.bring_up_to_date()
    assert (await subscriber.seen())["interval"] == "YEAR"


async def test_a_downgrade_may_be_exchanged_for_another_one(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change("ENTERPRISE", "YEAR")
    await subscriber.change("ENTERPRISE", "MONTH")
    changed = await subscriber.change("PRO", "MONTH")
    assert changed["errors"] == []
    assert (changed["subscription"]["scheduledTier"], changed["subscription"]["scheduledInterval"]) == (
        "PRO",
        "MONTH",
    )
    subscriber.shop.forward(days=365, hours=2)
    await subscriber.bring_up_to_date()
    seen = await subscriber.seen()
    assert (seen["tier"], seen["interval"], seen["currentPeriodEnd"]) == (
        "PRO",
        "MONTH",
        "2027-12-22T12:00:00.000Z",
    )


async def test_a_downgrade_that_is_refused_leaves_a_cancellation(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change("ENTERPRISE")
    await subscriber.cancel()
    quote = (await subscriber.preview("PRO"))["quote"]["id"]
    subscriber.client.v1.prices.update(await subscriber.price(), {"active": False})
    assert codes(await subscriber.change("PRO", quote=quote)) == ["PAYMENT_REFUSED"]
    seen = await subscriber.seen()
    assert (seen["tier"], seen["cancelAtPeriodEnd"], seen["scheduledTier"]) == ("ENTERPRISE", True, None)
    assert subscriber.subscriptions()[0].schedule is None
    subscriber.shop.forward(days=31)
    await subscriber.bring_up_to_date()
    assert (len(subscriber.invoices()), await subscriber.tier()) == (1, "free")


@pytest.mark.parametrize("wish", ["cancel", "upgrade"])
async def test_a_downgrade_gives_way_to_another_wish(subscriber: Subscriber, wish: str) -> None:
    subscriber.save_card()
    await subscriber.change("PRO", "YEAR")
    await subscriber.change("PRO", "MONTH")
    given = await (subscriber.cancel() if wish == "cancel" else subscriber.change("ENTERPRISE", "YEAR"))
    assert given["errors"] == []
    assert given["subscription"]["scheduledInterval"] is None
    subscriber.shop.forward(days=365, hours=2)
    await subscriber.bring_up_to_date()
    after = ("free", []) if wish == "cancel" else ("enterprise", ["year"])
    running = [made for made in subscriber.subscriptions() if made.status == "active"]
    every = [made["items"].data[0].price.recurring.interval for made in running]
    assert (await subscriber.tier(), every) == after


async def test_cancelling_at_the_periods_end_and_coming_back(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change()
    cancelled = await subscriber.cancel()
    assert (cancelled["errors"], cancelled["subscription"]["cancelAtPeriodEnd"]) == ([], True)
    assert await subscriber.tier() == "pro"
    assert codes(await subscriber.cancel()) == ["INVALID_STATE"]
    assert (await subscriber.resume())["subscription"]["cancelAtPeriodEnd"] is False
    assert codes(await subscriber.resume()) == ["INVALID_STATE"]
    await subscriber.cancel()
    subscriber.shop.forward(days=31)
    await subscriber.bring_up_to_date()
    assert ((await subscriber.seen())["tier"], await subscriber.tier()) == ("FREE", "free")
    assert codes(await subscriber.resume()) == ["INVALID_STATE"]


async def test_to_the_free_plan_leads_the_same_way(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change()
    quote = (await subscriber.preview("FREE"))["quote"]
    assert (quote["lines"], quote["dueNow"]["amountCents"], quote["nextBillingAt"]) == ([], 0, None)
    changed = await subscriber.change("FREE", quote=quote["id"])
    assert changed["subscription"]["cancelAtPeriodEnd"] is True


async def test_cancelling_at_once(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change()
    cancelled = await subscriber.cancel(at_period_end=False)
    assert (cancelled["errors"], cancelled["subscription"]["tier"]) == ([], "FREE")
    assert await subscriber.tier() == "free"
    assert subscriber.subscriptions()[0].status == "canceled"


async def test_cancelling_what_was_not_paid_yet(subscriber: Subscriber) -> None:
    await subscriber.change()
    assert codes(await subscriber.cancel()) == ["INVALID_STATE"]
    assert (await subscriber.cancel(at_period_end=False))["errors"] == []
    assert [invoice.status for invoice in subscriber.invoices()] == ["void"]
    assert codes(await subscriber.cancel(at_period_end=False)) == ["INVALID_STATE"]


async def test_an_upgrade_takes_back_a_cancellation(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change()
    await subscriber.cancel()
    changed = await subscriber.change("ENTERPRISE")
    assert changed["errors"] == []
    assert changed["subscription"]["cancelAtPeriodEnd"] is False


async def test_a_quote_tells_how_often_to_pay_as_well(subscriber: Subscriber) -> None:
    subscriber.save_card()
    quote = (await subscriber.preview("PRO", "YEAR"))["quote"]["id"]
    assert (await subscriber.change("PRO", quote=quote))["errors"] == []
    _, paid = await subscriber.rows()
    assert (paid.tier, paid.billing_interval, paid.price_cents) == ("pro", "year", 29_000)


async def test_what_is_there_already_is_no_change(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change()
    assert codes(await subscriber.preview("PRO")) == ["CONFLICT"]
    assert codes(await subscriber.preview("PRO", "MONTH")) == ["CONFLICT"]


async def test_quotes_hold_for_what_they_were_told_for(subscriber: Subscriber) -> None:
    """Too old, another's, another wish, used, no quote at all, or told of another state."""
    subscriber.save_card()
    old = (await subscriber.preview())["quote"]["id"]
    subscriber.shop.forward(minutes=15)
    assert codes(await subscriber.change(quote=old)) == ["QUOTE_EXPIRED"]
    other = await make_subscriber(subscriber.shop)
    foreign = (await other.preview())["quote"]["id"]
    assert codes(await subscriber.change(quote=foreign)) == ["QUOTE_EXPIRED"]
    quote = (await subscriber.preview())["quote"]["id"]
    for wish in ({"tier": "ENTERPRISE"}, {"interval": "YEAR"}):
        [error] = (await subscriber.change(quote=quote, **wish))["errors"]
        assert (error["code"], error["path"]) == ("QUOTE_EXPIRED", ["input", "quoteId"])
        assert error["message"].startswith("This quote is for the plan PRO by the month: send these")
    assert codes(await subscriber.change(quote="Zm9v")) == ["BAD_USER_INPUT"]
    stale = (await subscriber.preview("ENTERPRISE"))["quote"]["id"]
    assert subscriber.subscriptions() == []
    assert (await subscriber.change(quote=quote))["errors"] == []
    assert codes(await subscriber.change(quote=quote)) == ["QUOTE_EXPIRED"]
    assert codes(await subscriber.change("ENTERPRISE", quote=stale)) == ["QUOTE_EXPIRED"]
    assert len(subscriber.subscriptions()) == 1


async def test_the_same_key_gives_the_first_answer_again(subscriber: Subscriber) -> None:
    quote, key = (await subscriber.preview())["quote"]["id"], new_key()
    first = await subscriber.change(quote=quote, key=key)
    assert await subscriber.change(quote=quote, key=key) == first
    assert len(subscriber.subscriptions()) == 1
    assert codes(await subscriber.change(interval="MONTH", quote=quote, key=key)) == [
        "IDEMPOTENCY_KEY_REUSED"
    ]


async def test_two_changes_at_once_are_one(subscriber: Subscriber) -> None:
    subscriber.save_card()
    quotes = [(await subscriber.preview(interval=each))["quote"]["id"] for each in ("MONTH", "YEAR")]
    answers = await asyncio.gather(
        subscriber.change(interval="MONTH", quote=quotes[0]),
        subscriber.change(interval="YEAR", quote=quotes[1]),
    )
    refused = sorted(codes(answer) for answer in answers)
    assert refused in ([[], ["CONFLICT"]], [[], ["QUOTE_EXPIRED"]])
    assert len(subscriber.subscriptions()) == len(await changes(subscriber)) == 1
    assert await subscriber.tier() == "pro"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "path",
    ["/v1/customers/*", "/v1/prices", "/v1/subscriptions", "/v1/subscriptions/*", "/v1/invoices/*/pay"],
)
async def test_a_start_without_an_answer_is_finished_by_the_sweeper(
    subscriber: Subscriber, when: str, path: str
) -> None:
    subscriber.save_card()
    quote, key = (await subscriber.preview())["quote"]["id"], new_key()
    method = "GET" if path in ("/v1/customers/*", "/v1/prices", "/v1/subscriptions/*") else "POST"
    subscriber.shop.lose(path, when=when, method=method)
    lost = await subscriber.change(quote=quote, key=key)
    if path == "/v1/prices":  # it was found when the quote was told
        assert lost["errors"] == []
        return
    assert codes(lost) == ["PAYMENT_UNCONFIRMED"]
    [change] = await changes(subscriber)
    assert (change.status, change.check_at is not None) == ("requested", True)
    await settle_tier_changes(subscriber.shop.api.deps)
    assert (await changes(subscriber))[0].status == "requested"
    subscriber.shop.forward(minutes=2)
    await settle_tier_changes(subscriber.shop.api.deps)
    [change] = await changes(subscriber)
    assert (change.status, change.check_at) == ("applied", None)
    assert await subscriber.tier() == "pro"
    assert (len(subscriber.subscriptions()), len(subscriber.invoices())) == (1, 1)
    again = await subscriber.change(quote=quote, key=key)
    assert (again["errors"], again["subscription"]["status"]) == ([], "ACTIVE")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_asking_again_finishes_it_too(subscriber: Subscriber, when: str) -> None:
    subscriber.save_card()
    await subscriber.change(interval="YEAR")
    quote, key = (await subscriber.preview(interval="MONTH"))["quote"]["id"], new_key()
    subscriber.shop.lose("/v1/subscription_schedules*", when=when)
    assert codes(await subscriber.change(interval="MONTH", quote=quote, key=key)) == ["PAYMENT_UNCONFIRMED"]
    assert codes(await subscriber.cancel()) == ["CONFLICT"]
    changed = await subscriber.change(interval="MONTH", quote=quote, key=key)
    assert changed["errors"] == []
    assert changed["subscription"]["scheduledInterval"] == "MONTH"


@pytest.mark.parametrize("by", ["the sweeper", "asking again"])
async def test_a_start_that_an_event_told_of_first_does_not_give_way_to_itself(
    subscriber: Subscriber, by: str
) -> None:
    """The answer was lost, the event was not: what waits for its payment is the one that was asked for."""
    quote, key = (await subscriber.preview())["quote"]["id"], new_key()
    subscriber.shop.lose("/v1/subscriptions", when="after")
    assert codes(await subscriber.change(quote=quote, key=key)) == ["PAYMENT_UNCONFIRMED"]
    await subscriber.hear()
    assert [row.status for row in await subscriber.rows()] == ["active", "incomplete"]
    if by == "the sweeper":
        subscriber.shop.forward(minutes=3)
        await settle_tier_changes(subscriber.shop.api.deps)
    changed = await subscriber.change(quote=quote, key=key)
    assert (changed["errors"], changed["subscription"]["status"]) == ([], "INCOMPLETE")
    assert subscriber.pay(changed["clientSecret"])["error"] is None
    await subscriber.bring_up_to_date()
    assert await subscriber.tier() == "pro"
    assert [invoice.status for invoice in subscriber.invoices()] == ["paid"]


async def test_a_busy_provider_is_asked_again(subscriber: Subscriber) -> None:
    subscriber.save_card()
    await subscriber.change()
    subscriber.shop.stand_in.ask("/faults", kind="rate_limit", path="/v1/subscriptions/*", method="POST")
    key = new_key()
    assert codes(await subscriber.cancel(key=key)) == ["PAYMENT_UNCONFIRMED"]
    assert (await subscriber.cancel(key=key))["subscription"]["cancelAtPeriodEnd"] is True


async def test_after_a_day_without_an_answer_no_second_subscription_begins(subscriber: Subscriber) -> None:
    subscriber.save_card()
    quote, key = (await subscriber.preview())["quote"]["id"], new_key()
    subscriber.shop.lose("/v1/subscriptions", when="after")
    assert codes(await subscriber.change(quote=quote, key=key)) == ["PAYMENT_UNCONFIRMED"]
    subscriber.shop.forward(hours=22)
    subscriber.pay(_secret(subscriber))
    subscriber.shop.forward(hours=8)
    await settle_tier_changes(subscriber.shop.api.deps)
    assert len(subscriber.subscriptions()) == 1
    assert await subscriber.tier() == "pro"


def _secret(subscriber: Subscriber) -> str:
    invoice = subscriber.client.v1.invoices.retrieve(
        subscriber.invoices()[0].id, {"expand": ["confirmation_secret"]}
    )
    return str(invoice["confirmation_secret"]["client_secret"])


async def test_terms_that_were_agreed_are_not_for_sale(subscriber: Subscriber) -> None:
    default = await make_subscriber(subscriber.shop)
    async with subscriber.shop.api.deps.database.transaction() as connection:
        live = await subscriptions.live_of(connection, default.user_id)
        assert live is not None
        await subscriptions.change(connection, live.id, {"tier": "enterprise"})
    assert codes(await default.preview("PRO")) == ["INVALID_STATE"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_upgrade_without_an_answer_is_paid_once(subscriber: Subscriber, when: str) -> None:
    subscriber.save_card()
    await subscriber.change()
    subscriber.shop.forward(days=15)
    subscriber.shop.lose("/v1/subscriptions/*", when=when)
    assert codes(await subscriber.change("ENTERPRISE")) == ["PAYMENT_UNCONFIRMED"]
    assert codes(await subscriber.change("ENTERPRISE", "YEAR")) in (["CONFLICT"], ["QUOTE_EXPIRED"])
    subscriber.shop.forward(minutes=3)
    await settle_tier_changes(subscriber.shop.api.deps)
    assert (await changes(subscriber))[-1].status == "applied"
    assert await subscriber.tier() == "enterprise"
    assert [invoice.amount_paid for invoice in subscriber.invoices()] == [3500, 2900]
