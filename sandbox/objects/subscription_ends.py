"""How does a subscription end, pause and come back?"""

from stripe import params as sdk

from sandbox.errors import missing, refused
from sandbox.hooks import after, tell
from sandbox.objects import pending_updates
from sandbox.objects.collecting import collect, default_method
from sandbox.objects.fields import taken
from sandbox.objects.invoicing import finalize, forget_timers, subscription_id, void
from sandbox.objects.prorations import remaining, unused
from sandbox.objects.subscription_changes import restart
from sandbox.objects.subscription_invoices import subscription_invoice
from sandbox.objects.subscription_items import leave_pending, period, put_period
from sandbox.objects.subscription_times import LIVE, set_timers
from sandbox.periods import end_after
from sandbox.routes import delete, post
from sandbox.world import Obj, World


def cancel(world: World, params: Obj, key: str) -> Obj:
    subscription = world.get("subscription", key)
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise missing("subscription", key, None)
    given = taken(params.get("cancellation_details", {}), "comment feedback")
    lines = unused_time(world, subscription) if params.get("prorate") else []
    if lines and not params.get("invoice_now"):
        leave_pending(world, subscription, lines, subscription["items"]["data"])
    end(world, subscription, reason="cancellation_requested", details=given)
    if params.get("invoice_now"):
        now = world.now()
        invoice = subscription_invoice(world, subscription, "manual", lines, period=(now, now))
        finalize(world, invoice)
        if invoice["status"] == "open":
            collect(world, invoice)
    return subscription


def unused_time(world: World, subscription: Obj) -> list[Obj]:
    start, stop = period(subscription)
    if subscription["status"] not in ("active", "past_due") or not start <= world.now() < stop:
        return []
    return [unused(world, subscription, item, world.now()) for item in subscription["items"]["data"]]


def end(world: World, subscription: Obj, *, reason: str | None, details: Obj | None = None) -> None:
    """Over, now. Open invoices stay open but are not collected any more."""
    now = world.now()
    pending_updates.give_up(world, subscription)
    was_incomplete = subscription["status"] == "incomplete"
    stated = {**subscription["cancellation_details"], **(details or {})}
    world.change(
        subscription, status="canceled", ended_at=now, canceled_at=subscription["canceled_at"] or now,
        cancellation_details={**stated, "reason": stated["reason"] or reason},
    )  # fmt: skip
    set_timers(world, subscription)
    for invoice in open_invoices(world, subscription):
        if was_incomplete and invoice["status"] == "open":
            void(world, invoice)
        else:
            forget_timers(world, invoice)
            world.change(invoice, auto_advance=False, next_payment_attempt=None)
    tell("subscription.ended", world, subscription)
    world.emit("customer.subscription.deleted", subscription)


def open_invoices(world: World, subscription: Obj) -> list[Obj]:
    mine = (row for row in world.all("invoice") if subscription_id(row) == subscription["id"])
    return [row for row in mine if row["status"] in ("draft", "open")]


@after("customer.deleted")
def end_all(world: World, customer: Obj) -> None:
    for subscription in world.all("subscription"):
        if subscription["customer"] == customer["id"] and subscription["status"] not in (
            "canceled",
            "incomplete_expired",
        ):
            end(world, subscription, reason="cancellation_requested")


def expire(world: World, key: str) -> None:
    """The first payment never came: the subscription never was."""
    subscription = world.get("subscription", key)
    if subscription["status"] != "incomplete":
        return
    world.change(subscription, status="incomplete_expired", ended_at=world.now())
    set_timers(world, subscription)
    for invoice in open_invoices(world, subscription):
        void(world, invoice) if invoice["status"] == "open" else forget_timers(world, invoice)
    world.emit("customer.subscription.updated", subscription)


def pause(world: World, params: Obj, key: str) -> Obj:
    subscription = world.get("subscription", key)
    if subscription["status"] not in LIVE:
        raise refused(f"A subscription that is {subscription['status']} cannot be paused.")
    if subscription["schedule"]:
        raise refused("You cannot pause a subscription with an attached schedule.")
    unused = params.get("bill_for", {}).get("unused_time_from", {}).get("type", "now")
    lines = unused_time(world, subscription) if unused == "now" else []
    if params.get("invoicing_behavior") == "invoice" and lines:
        now = world.now()
        finalize(
            world, subscription_invoice(world, subscription, "subscription_update", lines, period=(now, now))
        )
    else:
        leave_pending(world, subscription, lines, subscription["items"]["data"])
    set_paused(world, subscription, "pause_requested")
    return subscription


def set_paused(world: World, subscription: Obj, reason: str) -> None:
    detail = {"type": "subscription", "subscription": {"type": reason}, "transitioned_at": world.now()}
    world.change(subscription, status="paused", status_details={"paused": detail})
    set_timers(world, subscription)
    world.emit("customer.subscription.updated", subscription)
    world.emit("customer.subscription.paused", subscription)


def resume(world: World, params: Obj, key: str) -> Obj:
    subscription = world.get("subscription", key)
    if subscription["status"] != "paused":
        raise refused("Only subscriptions that are paused can be resumed.")
    anchor = params.get("billing_cycle_anchor", {}).get("type", "now")
    lines = restart(world, subscription) if anchor == "now" else take_up(world, subscription, params)
    waits = params.get("payment_behavior") == "resume_on_payment_success"
    invoice = None
    if lines:
        now = world.now()
        invoice = subscription_invoice(world, subscription, "subscription_update", lines, period=(now, now))
        finalize(world, invoice)
    if not (waits and invoice and invoice["status"] == "open"):
        set_resumed(world, subscription)
    if invoice and invoice["status"] == "open":
        world.change(subscription, _resuming=waits)
        if not waits or default_method(world, invoice):
            collect(world, invoice)
    return subscription


def take_up(world: World, subscription: Obj, params: Obj) -> list[Obj]:
    """The old anchor is kept: what is left of the running period is charged."""
    now, items = world.now(), subscription["items"]["data"]
    world.touch(subscription)
    start, stop = period(subscription)
    if now >= stop:
        recurring = items[0]["price"]["recurring"]
        start, stop = now, end_after(subscription["billing_cycle_anchor"], recurring, now)
    put_period(items, start, stop)
    if params.get("proration_behavior") == "none":
        return []
    lines = remaining(world, subscription, items, items, now)
    if params.get("proration_behavior") == "always_invoice":
        return lines
    leave_pending(world, subscription, lines, items)
    return []


def set_resumed(world: World, subscription: Obj) -> None:
    world.touch(subscription).pop("status_details", None)
    world.change(subscription, status="active", _resuming=False)
    set_timers(world, subscription)
    world.emit("customer.subscription.updated", subscription)
    world.emit("customer.subscription.resumed", subscription)


TIMERS = {"expire": expire}

ROUTES = (
    delete(
        "/v1/subscriptions/{id}",
        cancel,
        sdk.SubscriptionCancelParams,
        "cancellation_details.comment cancellation_details.feedback invoice_now prorate",
    ),
    post(
        "/v1/subscriptions/{id}/pause",
        pause,
        sdk.SubscriptionPauseParams,
        "bill_for.unused_time_from invoicing_behavior type",
    ),
    post(
        "/v1/subscriptions/{id}/resume",
        resume,
        sdk.SubscriptionResumeParams,
        "billing_cycle_anchor payment_behavior proration_behavior",
    ),
)
