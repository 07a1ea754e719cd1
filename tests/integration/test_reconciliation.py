"""Reconciliation: what never arrived is fetched, what differs is mended and told, a rehearsal changes nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app import metrics, ops
from app.db.database import Database
from app.db.ids import new_id
from app.db.models import (
    AuditEntry,
    Author,
    Dispute,
    Invoice,
    ObjectLease,
    Payment,
    Refund,
    Subscription,
    User,
    WebhookEvent,
)
from app.db.repositories.reconciliation import unfinished
from app.domain.outbox import Topic
from app.domain.payments import PaymentStatus
from app.domain.settlement import Kind, Target
from app.gateways.stripe import history
from app.jobs import HANDLERS, Fact
from app.ports.provider import OutcomeUnknown
from app.services import reconciliation
from app.services.reconciliation import Drift, Report
from app.settlement import payments, syncing
from app.settlement.syncing import Following
from app.settlement.tools import Tools
from app.worker.events import Events
from tests.support import factories
from tests.support.factories import NOW
from tests.support.payments import Shop

Status = dict[str, str]


@pytest.fixture(autouse=True)
def _only_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of payments, and of nothing else: what exactly is applied is others' matter."""

    async def apply(connection: AsyncConnection, tools: Tools, intent: Mapping[str, Any]) -> None:
        await connection.execute(
            update(Payment)
            .where(Payment.stripe_payment_intent_id == intent["id"])
            .values(status=PaymentStatus(intent["status"]), updated_at=tools.clock())
        )

    monkeypatch.setattr(syncing, "FOLLOWINGS", {Kind.PAYMENT: Following(payments.fetch, apply)})


async def begin(shop: Shop, amount: int = 1000, **given: Any) -> str:
    """A payment there and here; its intent's id."""
    client = shop.stand_in.client()
    intent = client.v1.payment_intents.create({"amount": amount, "currency": "usd"})
    database = shop.api.deps.database
    user, package = await factories.make_user(database), await factories.make_package(database)
    version = await factories.make_version(database, package=package)
    purchase = await factories.make_purchase(database, user=user, package=package, version=version)
    row = {
        "id": new_id(),
        "user_id": user.id,
        "purchase_id": purchase.id,
        "status": "requires_payment_method",
        "amount_cents": amount,
        "refunded_cents": 0,
        "currency": "USD",
        "attempt": 1,
        "stripe_payment_intent_id": intent.id,
        "created_at": NOW,
        "updated_at": NOW,
        **given,
    }
    async with database.transaction() as connection:
        await connection.execute(insert(Payment).values(**row))
    return str(intent.id)


async def statuses(shop: Shop) -> Status:
    async with shop.api.deps.database.read() as connection:
        rows = (await connection.execute(select(Payment.stripe_payment_intent_id, Payment.status))).all()
    return {row[0]: row[1] for row in rows}


async def events(shop: Shop) -> dict[str, str]:
    async with shop.api.deps.database.read() as connection:
        rows = (await connection.execute(select(WebhookEvent.stripe_event_id, WebhookEvent.status))).all()
    return {row[0]: row[1] for row in rows}


async def run(shop: Shop, *, days: float = 30, dry_run: bool = False, worked: bool = True) -> Report:
    async def act_on_events() -> None:
        desk = Events(shop.api.deps)
        while await desk.work_once():
            pass

    return await reconciliation.run(
        shop.api.deps.tools,
        since=shop.api.clock.now - timedelta(days=days),
        dry_run=dry_run,
        act_on_events=act_on_events if worked else None,
    )


async def test_events_that_never_arrived_are_fetched_and_acted_on(shop: Shop) -> None:
    paid, open_ = await begin(shop), await begin(shop)
    await shop.deliver()
    await shop.work()
    shop.act(paid, "pay")
    lost = [event["id"] for event in shop.events()]
    await shop.deliver(drop=["*"])
    report = await run(shop)
    assert [event.id for event in report.missed] == lost
    changed = Drift(Kind.PAYMENT, paid, f"payment {paid}.status", "requires_payment_method", "succeeded")
    assert (report.drifts, report.failed) == ([changed], {})
    assert await statuses(shop) == {paid: "succeeded", open_: "requires_payment_method"}
    assert {status for key, status in (await events(shop)).items() if key in lost} <= {"processed", "ignored"}
    again = await run(shop)
    assert (again.missed, again.drifts, again.failed) == ([], [], {})


async def test_many_pages_of_events_are_read(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PAGE", 10)
    client = shop.stand_in.client()
    for n in range(23):
        client.v1.customers.create({"name": f"customer {n}"})
    assert len((await run(shop)).missed) == 23
    assert len(await events(shop)) == 23


async def test_what_events_no_longer_tell_is_found_by_comparing(shop: Shop) -> None:
    intent = await begin(shop)
    await shop.deliver()
    await shop.work()
    shop.act(intent, "pay")
    await shop.deliver(drop=["*"])
    shop.forward(days=31)
    report = await run(shop)
    assert report.missed == []
    assert report.drifts == [
        Drift(Kind.PAYMENT, intent, f"payment {intent}.status", "requires_payment_method", "succeeded")
    ]
    assert report.drifted() == {**dict.fromkeys(reconciliation.ORDER, 0), Kind.PAYMENT: 1}
    assert await statuses(shop) == {intent: "succeeded"}
    assert (await run(shop)).drifts == []


async def test_everything_that_was_made_since_then_is_compared_whoever_made_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A payment also for what was given back or disputed since then, however old it is itself."""
    seen: set[tuple[Kind, str]] = set()

    def noting(kind: Kind) -> Following:
        async def fetch(_: object, object_id: str) -> None:
            seen.add((kind, object_id))

        return Following(fetch, fetch)

    monkeypatch.setattr(syncing, "FOLLOWINGS", {kind: noting(kind) for kind in Kind})
    client = shop.stand_in.client()
    refunded, disputed, untouched = [await begin(shop, status="succeeded") for _ in range(3)]
    for intent in (refunded, disputed, untouched):
        shop.act(intent, "pay")
    shop.forward(days=10)
    customer = client.v1.customers.create({"payment_method": "pm_card_visa"})
    price = {"currency": "usd", "product_data": {"name": "Pro"}, "recurring": {"interval": "month"}}
    subscription = client.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": client.v1.prices.create({**price, "unit_amount": 100}).id}],
            "trial_period_days": 90,
        }
    )
    client.v1.subscriptions.cancel(subscription.id)
    client.v1.refunds.create({"payment_intent": refunded})
    shop.stand_in.ask("/disputes", payment_intent=disputed)
    shop.forward(days=40)
    report = await run(shop, days=45)
    assert report.missed == []
    assert seen == {
        (Kind.CUSTOMER, customer.id),
        (Kind.SUBSCRIPTION, subscription.id),
        (Kind.INVOICE, subscription.latest_invoice),
        (Kind.PAYMENT, refunded),
        (Kind.PAYMENT, disputed),
    }


async def test_events_are_acted_on_though_a_list_cannot_be_read(shop: Shop) -> None:
    paid = await begin(shop)
    shop.act(paid, "pay")
    shop.stand_in.ask("/faults", kind="error", status=500, path="/v1/customers", times=1000)
    with pytest.raises(OutcomeUnknown):
        await run(shop, dry_run=True)
    assert await events(shop) == {}
    with pytest.raises(OutcomeUnknown):
        await run(shop)
    assert await shop.work() == []
    assert await statuses(shop) == {paid: "succeeded"}
    assert set(await events(shop)) == {event["id"] for event in shop.events()}


async def test_a_rehearsal_changes_nothing(shop: Shop) -> None:
    intent = await begin(shop)
    shop.act(intent, "pay")
    report = await run(shop, dry_run=True)
    assert len(report.missed) == len(shop.events()) > 0
    assert [(drift.before, drift.now) for drift in report.drifts] == [
        ("requires_payment_method", "succeeded")
    ]
    assert await statuses(shop) == {intent: "requires_payment_method"}
    assert await events(shop) == {}
    async with shop.api.deps.database.read() as connection:
        assert (await connection.execute(select(ObjectLease.object_id))).all() == []
        assert (await connection.execute(select(AuditEntry.id))).all() == []


async def test_what_cannot_be_looked_up_keeps_nothing_else_from_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = await begin(shop), await begin(shop)
    for intent in (bad, good):
        shop.act(intent, "pay")
    shop.stand_in.ask("/faults", kind="error", status=500, path=f"/v1/payment_intents/{bad}", times=1000)
    report = await run(shop, worked=False)
    assert list(report.failed) == [Target(Kind.PAYMENT, bad)]
    assert report.failed[Target(Kind.PAYMENT, bad)].startswith("OutcomeUnknown: ")
    assert await statuses(shop) == {bad: "requires_payment_method", good: "succeeded"}


async def test_only_what_was_made_since_then_or_is_unfinished_is_compared(shop: Shop) -> None:
    old_open, old_done = await begin(shop), await begin(shop, status="canceled")
    shop.forward(days=10)
    new = await begin(shop, status="canceled")
    report = await run(shop, days=1)
    assert report.compared == {Kind.PAYMENT: 2}
    assert {drift.object_id for drift in report.drifts} == {new}
    assert old_done in await statuses(shop)
    assert old_open in await statuses(shop)


async def test_what_something_may_still_happen_to_is_compared_however_old(database: Database) -> None:
    subscriber, left = [await factories.make_user(database) for _ in range(2)]
    named, _ = [await factories.make_author(database) for _ in range(2)]
    done, open_, refunding, disputed = [
        await factories.make_payment(database, user=left, refunded=[100]) for _ in range(4)
    ]
    owed, given_up, paid = [await factories.make_invoice(database, user=left) for _ in range(3)]
    states: list[tuple[Any, Any, dict[str, Any]]] = [
        (User.id, subscriber.id, {"stripe_customer_id": "cus_live"}),
        (User.id, left.id, {"stripe_customer_id": "cus_left"}),
        (Subscription.user_id, subscriber.id, {"stripe_subscription_id": "sub_live", "status": "past_due"}),
        (Subscription.user_id, left.id, {"stripe_subscription_id": "sub_left", "status": "canceled"}),
        (Author.id, named.id, {"stripe_account_id": "acct_1"}),
        (Payment.id, done.id, {"stripe_payment_intent_id": "pi_done"}),
        (Payment.id, open_.id, {"stripe_payment_intent_id": "pi_open", "status": "processing"}),
        (Payment.id, refunding.id, {"stripe_payment_intent_id": "pi_refunding"}),
        (Refund.payment_id, refunding.id, {"status": "pending"}),
        (Payment.id, disputed.id, {"stripe_payment_intent_id": "pi_disputed"}),
        (Dispute.payment_id, disputed.id, {"status": "needs_response"}),
        (Invoice.id, owed.id, {"stripe_invoice_id": "in_owed", "status": "open"}),
        (Invoice.id, given_up.id, {"stripe_invoice_id": "in_given_up", "status": "uncollectible"}),
        (Invoice.id, paid.id, {"stripe_invoice_id": "in_paid", "status": "paid"}),
    ]
    async with database.transaction() as connection:
        for column, value, given in states:
            await connection.execute(update(column.class_).where(column == value).values(**given))
        found = await unfinished(connection)
    assert {(target.kind, target.object_id) for target in found} == {
        (Kind.CUSTOMER, "cus_live"),
        (Kind.SUBSCRIPTION, "sub_live"),
        (Kind.ACCOUNT, "acct_1"),
        (Kind.PAYMENT, "pi_open"),
        (Kind.PAYMENT, "pi_refunding"),
        (Kind.PAYMENT, "pi_disputed"),
        (Kind.INVOICE, "in_owed"),
        (Kind.INVOICE, "in_given_up"),
    }


async def test_the_daily_job_does_it_and_metrics_tell_of_it(shop: Shop) -> None:
    intent = await begin(shop)
    shop.act(intent, "pay")
    gauges = ops.Gauges(shop.api.deps)
    await gauges.refresh()
    assert gauge("reconciled_timestamp_seconds") == 0
    fact = Fact(new_id(), Topic.RECONCILE, MappingProxyType({}), 1, NOW)
    await HANDLERS[Topic.RECONCILE](shop.api.deps, fact)
    async with shop.api.deps.database.read() as connection:
        (entry,) = (await connection.execute(select(AuditEntry.action, AuditEntry.details))).all()
    assert entry.action == "reconcile"
    assert entry.details["drifted"] == {**dict.fromkeys(reconciliation.ORDER, 0), "payment": 1}
    assert entry.details["missed"] == len(shop.events())
    await ops.Gauges(shop.api.deps).refresh()
    assert gauge("reconciled_timestamp_seconds") == shop.api.clock.now.timestamp()
    assert gauge("reconciliation_drifted_objects", kind="payment") == 1
    assert gauge("reconciliation_missed_events") == len(shop.events())
    assert gauge("reconciliation_failed_objects") == 0


def gauge(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(f"revgraph_{name}", labels)


async def test_without_payments_the_daily_job_has_nothing_to_do(shop: Shop) -> None:
    deps = replace(shop.api.deps, provider=None)
    await HANDLERS[Topic.RECONCILE](deps, Fact(new_id(), Topic.RECONCILE, MappingProxyType({}), 1, NOW))
    async with deps.database.read() as connection:
        assert (await connection.execute(select(AuditEntry.id))).all() == []


async def test_events_with_decimals_are_kept_as_they_came(shop: Shop) -> None:
    client = shop.stand_in.client()
    product = client.v1.products.create({"name": "Pro"})
    client.v1.prices.create({"product": product.id, "unit_amount": 2900, "currency": "usd"})
    await shop.deliver(drop=["*"])
    report = await run(shop)
    [priced] = [event for event in report.missed if event.type == "price.created"]
    async with shop.api.deps.database.read() as connection:
        statement = select(WebhookEvent.payload).where(WebhookEvent.stripe_event_id == priced.id)
        payload = (await connection.execute(statement)).scalar_one()
    assert payload["data"]["object"]["unit_amount_decimal"] == "2900"
