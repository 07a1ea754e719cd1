"""What the provider says of a subscription, applied: one live row, the tier, the anchor."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe
from sqlalchemy import delete, select, update

from app import metrics
from app.db.models import AuditEntry, PlanPrice, UsageCounter
from app.domain.plans import Interval, Resource, Tier
from app.domain.settlement import Kind, Target
from app.settlement import syncing
from app.settlement.syncing import sync
from tests.support.subscribing import Subscriber


async def subscribe(subscriber: Subscriber, price: str | None = None, **given: Any) -> stripe.Subscription:
    """At the provider, as its dashboard would."""
    items: Any = [{"price": price or await subscriber.price()}]
    return subscriber.client.v1.subscriptions.create(
        {"customer": subscriber.customer, "items": items, **given}
    )


def flags(reason: str) -> float:
    labels = {"reason": reason}
    return metrics.REGISTRY.get_sample_value("revgraph_subscriptions_flagged_total", labels) or 0.0


def shown(rows: list[Any]) -> list[tuple[str, str, bool]]:
    return [(row.tier, row.status, row.superseded_at is not None) for row in rows]


async def test_an_incomplete_one_stands_beside_the_free_plan(subscriber: Subscriber) -> None:
    made = await subscribe(subscriber, payment_behavior="default_incomplete")
    await subscriber.sync(made.id)
    free, paid = await subscriber.rows()
    assert shown([free, paid]) == [("free", "active", False), ("pro", "incomplete", False)]
    assert await subscriber.tier() == "free"
    assert paid.ended_at is None
    assert (paid.price_cents, paid.currency, paid.billing_interval) == (2900, "USD", "month")


async def test_a_paid_one_begins_with_the_anchor_of_the_free_one_and_gives_the_tier(
    subscriber: Subscriber,
) -> None:
    subscriber.save_card()
    subscriber.shop.forward(days=3)
    made = await subscribe(subscriber)
    await subscriber.sync(made.id)
    await subscriber.sync(made.id)
    free, paid = await subscriber.rows()
    now = subscriber.shop.api.clock.now
    assert shown([free, paid]) == [("free", "canceled", False), ("pro", "active", False)]
    assert free.ended_at == now
    assert paid.anchor_at == free.anchor_at
    assert paid.current_period_start == paid.created_at == now
    assert paid.current_period_end == datetime(2026, 12, 25, 12, tzinfo=UTC)
    assert await subscriber.tier() == "pro"


async def test_the_next_request_has_the_plans_limits(subscriber: Subscriber) -> None:
    asked = "{ viewer { tier subscription { tier status } usage { meters { resource used limit } } } }"
    before = (await subscriber.api(asked)).payload()["usage"]["meters"]
    subscriber.save_card()
    made = await subscribe(subscriber)
    await subscriber.sync(made.id)
    after = (await subscriber.api(asked)).payload()
    assert (after["tier"], after["subscription"]) == ("PRO", {"tier": "PRO", "status": "ACTIVE"})
    calls = [
        next(m for m in meters if m["resource"] == "API_CALL")
        for meters in (before, after["usage"]["meters"])
    ]
    assert [int(meter["limit"]) for meter in calls] == [1_000, 100_000]
    assert int(calls[1]["used"]) == int(calls[0]["used"]) + 1


async def test_who_has_used_up_the_calls_may_still_change_the_plan(subscriber: Subscriber) -> None:
    """The way out is not counted any more, and gives nothing else away."""
    subscriber.save_card()
    quote = (await subscriber.preview())["quote"]["id"]
    async with subscriber.shop.api.deps.database.transaction() as connection:
        statement = update(UsageCounter).where(UsageCounter.resource == Resource.API_CALL)
        await connection.execute(statement.values(used=1_000))
    assert (await subscriber.api("{ viewer { tier } }")).code == "QUOTA_EXCEEDED"
    beside = """mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key }
        cancelSubscription(input: {idempotencyKey: "k"}) { errors { code } } }"""
    assert (await subscriber.api(beside, input={"name": "x", "scopes": ["READ"]})).code == "QUOTA_EXCEEDED"
    assert (await subscriber.change(quote=quote))["subscription"]["status"] == "ACTIVE"
    seen = (await subscriber.api("{ viewer { tier usage { meters { resource used } } } }")).payload()
    assert seen["tier"] == "PRO"
    assert {"resource": "API_CALL", "used": 1001} in seen["usage"]["meters"]


async def test_when_it_ends_the_free_plan_begins_with_the_same_anchor(subscriber: Subscriber) -> None:
    subscriber.save_card()
    made = await subscribe(subscriber)
    await subscriber.sync(made.id)
    subscriber.shop.forward(days=40)
    subscriber.client.v1.subscriptions.cancel(made.id)
    await subscriber.sync(made.id)
    await subscriber.sync(made.id)
    first, paid, free = await subscriber.rows()
    assert shown([first, paid, free]) == [
        ("free", "canceled", False),
        ("pro", "canceled", False),
        ("free", "active", False),
    ]
    assert paid.ended_at == free.created_at == subscriber.shop.api.clock.now
    assert free.anchor_at == first.anchor_at
    assert free.stripe_subscription_id is None
    assert await subscriber.tier() == "free"


async def test_unpaid_and_paused_give_nothing_and_may_come_back(subscriber: Subscriber) -> None:
    subscriber.save_card()
    made = await subscribe(subscriber)
    await subscriber.sync(made.id)
    subscriber.client.v1.subscriptions.pause(made.id, {"type": "subscription"})
    await subscriber.sync(made.id)
    assert shown(await subscriber.rows())[1:] == [("pro", "paused", False), ("free", "active", False)]
    assert await subscriber.tier() == "free"
    subscriber.client.v1.subscriptions.resume(made.id)
    await subscriber.sync(made.id)
    rows = await subscriber.rows()
    assert shown(rows)[1:] == [("pro", "active", False), ("free", "canceled", False)]
    assert await subscriber.tier() == "pro"
    assert len({row.anchor_at for row in rows}) == 1


async def test_the_newest_of_several_gives_the_tier_and_the_others_are_flagged(
    subscriber: Subscriber,
) -> None:
    before = flags("superseded")
    subscriber.save_card()
    first = await subscribe(subscriber)
    subscriber.shop.forward(seconds=1)
    second = await subscribe(subscriber, await subscriber.price(Tier.PRO, Interval.YEAR))
    for made in (second, first, second, first):
        await subscriber.sync(made.id)
    _, yearly, monthly = await subscriber.rows()
    assert (yearly.stripe_subscription_id, yearly.superseded_at) == (second.id, None)
    assert monthly.superseded_at is not None
    assert monthly.status == "active"
    assert flags("superseded") == before + 1
    async with subscriber.shop.api.deps.database.read() as connection:
        statement = select(AuditEntry.details).where(AuditEntry.action == "subscription_superseded")
        assert list((await connection.execute(statement)).scalars()) == [{"subscription": first.id}]
    subscriber.client.v1.subscriptions.cancel(second.id)
    await subscriber.sync(second.id)
    assert shown((await subscriber.rows())[1:]) == [("pro", "canceled", False), ("pro", "active", False)]
    assert await subscriber.tier() == "pro"


@pytest.mark.parametrize("order", [("customer", "subscription"), ("subscription", "customer")])
async def test_with_its_customer_a_subscription_ends(subscriber: Subscriber, order: tuple[str, ...]) -> None:
    subscriber.save_card()
    made = await subscribe(subscriber)
    await subscriber.sync(made.id)
    [free, _] = await subscriber.rows()
    before = flags("no_account")
    subscriber.client.v1.customers.delete(subscriber.customer)
    for what in (*order, *order):
        named = made.id if what == "subscription" else subscriber.customer
        await sync(subscriber.shop.api.deps.tools, Target(Kind(what), named))
    assert shown(await subscriber.rows()) == [
        ("free", "canceled", False),
        ("pro", "canceled", False),
        ("free", "active", False),
    ]
    assert {row.anchor_at for row in await subscriber.rows()} == {free.anchor_at}
    assert (await subscriber.tier(), flags("no_account")) == ("free", before)
    again = await subscriber.change()
    assert (again["errors"], again["subscription"]["status"]) == ([], "INCOMPLETE")
    subscriber.pay(again["clientSecret"])
    await subscriber.bring_up_to_date()
    assert await subscriber.tier() == "pro"


async def test_a_newer_one_takes_the_place_of_an_older_one(subscriber: Subscriber) -> None:
    subscriber.save_card()
    first = await subscribe(subscriber)
    await subscriber.sync(first.id)
    subscriber.shop.forward(seconds=1)
    second = await subscribe(subscriber)
    await subscriber.sync(second.id)
    assert shown((await subscriber.rows())[1:]) == [("pro", "active", True), ("pro", "active", False)]


async def test_a_price_made_elsewhere_says_what_it_gives(subscriber: Subscriber) -> None:
    subscriber.save_card()
    agreed: Any = {"currency": "usd", "unit_amount": 99_900, "product_data": {"name": "Agreed"}}
    price = subscriber.client.v1.prices.create(
        {**agreed, "recurring": {"interval": "year"}, "metadata": {"tier": "enterprise"}}
    )
    made = await subscribe(subscriber, price.id)
    await subscriber.sync(made.id)
    row = (await subscriber.rows())[-1]
    assert (row.tier, row.billing_interval, row.price_cents) == ("enterprise", "year", 99_900)
    assert await subscriber.tier() == "enterprise"


async def test_a_price_by_tiers_gives_its_plan_too(
    subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the provider shows one, which the stand-in does not have: no amount a unit."""
    following = syncing.FOLLOWINGS[Kind.SUBSCRIPTION]

    async def by_tiers(*given: Any) -> Any:
        told: Any = await following.fetch(*given)
        told["items"]["data"][0]["price"]["unit_amount"] = None
        return told

    followings = {**syncing.FOLLOWINGS, Kind.SUBSCRIPTION: replace(following, fetch=by_tiers)}
    monkeypatch.setattr(syncing, "FOLLOWINGS", followings)
    subscriber.save_card()
    await subscriber.sync((await subscribe(subscriber)).id)
    asked = "{ viewer { tier subscription { tier price { formatted } } } }"
    assert (await subscriber.api(asked)).payload() == {
        "tier": "PRO",
        "subscription": {"tier": "PRO", "price": None},
    }


async def test_what_is_no_plan_of_ours_or_nobodys_changes_nothing(subscriber: Subscriber) -> None:
    subscriber.save_card()
    other: Any = {"currency": "usd", "unit_amount": 100, "product_data": {"name": "Other"}}
    price = subscriber.client.v1.prices.create({**other, "recurring": {"interval": "month"}})
    made = await subscribe(subscriber, price.id)
    await subscriber.sync(made.id)
    stranger = subscriber.client.v1.customers.create()
    foreign = subscriber.client.v1.subscriptions.create(
        {
            "customer": stranger.id,
            "items": [{"price": await subscriber.price()}],
            "payment_behavior": "default_incomplete",
        }
    )
    await subscriber.sync(foreign.id)
    assert shown(await subscriber.rows()) == [("free", "active", False)]
    assert await subscriber.tier() == "free"


async def test_cancelling_ahead_and_a_schedule_are_followed(subscriber: Subscriber) -> None:
    subscriber.save_card()
    yearly, monthly = await subscriber.price(Tier.PRO, Interval.YEAR), await subscriber.price()
    made = await subscribe(subscriber, yearly)
    end = made["items"]["data"][0]["current_period_end"]
    subscriber.client.v1.subscriptions.update(made.id, {"cancel_at": end})
    await subscriber.sync(made.id)
    assert (await subscriber.rows())[-1].cancel_at_period_end is True
    subscriber.client.v1.subscriptions.update(made.id, {"cancel_at": ""})
    schedule = subscriber.client.v1.subscription_schedules.create({"from_subscription": made.id})
    start = made["items"]["data"][0]["current_period_start"]
    phases: Any = [
        {"items": [{"price": yearly}], "start_date": start, "end_date": end},
        {"items": [{"price": monthly}]},
    ]
    subscriber.client.v1.subscription_schedules.update(schedule.id, {"phases": phases})
    await subscriber.sync(made.id)
    row = (await subscriber.rows())[-1]
    assert row.cancel_at_period_end is False
    assert (row.scheduled_tier, row.scheduled_interval) == ("pro", "month")
    assert row.stripe_schedule_id == schedule.id
    subscriber.shop.forward(days=366)
    await subscriber.sync(made.id)
    row = (await subscriber.rows())[-1]
    assert (row.billing_interval, row.scheduled_tier) == ("month", None)


async def test_a_price_that_a_crash_left_unrecorded_is_found_again(subscriber: Subscriber) -> None:
    first = await subscriber.price()
    async with subscriber.shop.api.deps.database.transaction() as connection:
        await connection.execute(delete(PlanPrice))
    assert await subscriber.price() == first
    assert await subscriber.price() == first
    assert len(subscriber.client.v1.prices.list().data) == 1
    await sync(subscriber.shop.api.deps.tools, Target(Kind.SUBSCRIPTION, "sub_gone"))
