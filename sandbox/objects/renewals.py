"""What time and payments do to a subscription: renewals, ends of trials, dunning, recovery."""

from sandbox.hooks import after, tell
from sandbox.objects import pending_updates
from sandbox.objects.collecting import advance_later, default_method
from sandbox.objects.invoice_lines import subscription_line
from sandbox.objects.invoicing import draft, finalize, give_up, subscription_id, void
from sandbox.objects.payment_methods import attach
from sandbox.objects.subscription_ends import end, set_paused, set_resumed
from sandbox.objects.subscription_invoices import discounts_at, subscription_invoice
from sandbox.objects.subscription_items import period, put_period
from sandbox.objects.subscription_times import LIVE, set_timers
from sandbox.periods import end_after
from sandbox.world import Obj, World


def renew(world: World, key: str) -> None:
    """A period is over: the next one begins, with a draft that becomes final an hour later."""
    subscription = world.get("subscription", key)
    if subscription["status"] not in LIVE:
        return
    pending_updates.give_up(world, subscription)
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= world.now():
        end(world, subscription, reason="cancellation_requested")
        return
    if subscription["status"] == "trialing" and not end_trial(world, subscription):
        return
    start, stop = period(subscription)
    tell("subscription.period_ended", world, subscription)  # a schedule may put other items in
    lines = next_period(world, subscription)
    invoice = subscription_invoice(world, subscription, "subscription_cycle", lines, period=(start, stop))
    set_timers(world, subscription)
    world.emit("customer.subscription.updated", subscription)
    follow_up(world, subscription, invoice)


def end_trial(world: World, subscription: Obj) -> bool:
    """False when the trial ends without a payment method, and the subscription with it."""
    wish = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    probe = {"default_payment_method": None, "customer": subscription["customer"], "parent": None}
    paid_for = subscription["default_payment_method"] or default_method(world, probe)
    if paid_for or wish == "create_invoice" or subscription["collection_method"] == "send_invoice":
        world.change(subscription, status="active")
        return True
    if wish == "pause":
        set_paused(world, subscription, "trial_end_without_payment_method")
    else:
        end(world, subscription, reason="cancellation_requested")
    return False


def next_period(world: World, subscription: Obj) -> list[Obj]:
    world.touch(subscription)
    items = subscription["items"]["data"]
    _, start = period(subscription)
    stop = end_after(subscription["billing_cycle_anchor"], items[0]["price"]["recurring"], start)
    put_period(items, start, stop)
    return [subscription_line(world, subscription, item, (start, stop)) for item in items]


def follow_up(world: World, subscription: Obj, invoice: Obj) -> None:
    paused = (subscription.get("pause_collection") or {}).get("behavior")
    if paused == "keep_as_draft" or subscription["status"] == "unpaid":
        world.change(invoice, auto_advance=False)
        return
    if paused:
        finalize(world, invoice)
        if invoice["status"] == "open":
            void(world, invoice) if paused == "void" else give_up(world, invoice)
        return
    advance_later(world, invoice)


def cancel_due(world: World, key: str) -> None:
    subscription = world.get("subscription", key)
    if subscription["status"] in LIVE:
        end(world, subscription, reason="cancellation_requested")


def trial_will_end(world: World, key: str) -> None:
    world.emit("customer.subscription.trial_will_end", world.get("subscription", key))


def upcoming(world: World, key: str) -> None:
    """Says what the next renewal will cost; the invoice itself does not exist yet."""
    subscription = world.get("subscription", key)
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= period(subscription)[1]:
        return
    with world.scratch():
        shown = dict(upcoming_invoice(world, subscription))
        shown["lines"] = {**shown["lines"], "data": [dict(row) for row in shown["lines"]["data"]]}
    world.emit("invoice.upcoming", {**shown, "id": f"upcoming_{shown['id']}"})


def upcoming_invoice(world: World, subscription: Obj) -> Obj:
    """The draft that the next renewal would make. Only inside `world.scratch()`."""
    start, stop = period(subscription)
    lines: list[Obj] = []
    if subscription["cancel_at"] is None or subscription["cancel_at"] > stop:
        tell("subscription.period_ended", world, subscription)
        lines = next_period(world, subscription)
    return draft(
        world, world.get("customer", subscription["customer"]), currency=subscription["currency"],
        reason="upcoming",
        lines=lines, subscription=subscription, period=(start, stop), pending=True,
        collection_method=subscription["collection_method"],
        discounts=discounts_at(world, subscription, stop),
        default_tax_rates=[dict(rate) for rate in subscription["default_tax_rates"]],
    )  # fmt: skip


def resume_collection(world: World, key: str) -> None:
    subscription = world.change(world.get("subscription", key), pause_collection=None)
    set_timers(world, subscription)
    world.emit("customer.subscription.updated", subscription)


@after("invoice.paid")
def paid(world: World, invoice: Obj) -> None:
    """Payment makes an incomplete subscription active, and brings one back that was behind."""
    subscription = world.find("subscription", subscription_id(invoice))
    if subscription is None:
        return
    keep_method(world, subscription, invoice)
    latest = subscription["latest_invoice"] == invoice["id"]
    if subscription.get("_resuming") and latest:
        set_resumed(world, subscription)
    elif subscription["status"] == "incomplete" or (
        subscription["status"] in ("past_due", "unpaid") and latest
    ):
        set_status(world, subscription, "active")
    else:
        world.emit("customer.subscription.updated", subscription)


def keep_method(world: World, subscription: Obj, invoice: Obj) -> None:
    """save_default_payment_method=on_subscription: what paid the first invoice pays the following ones."""
    intent = world.find("payment_intent", invoice["_intent"])
    wanted = subscription["payment_settings"]["save_default_payment_method"] == "on_subscription"
    if wanted and intent and intent["payment_method"]:
        world.change(subscription, default_payment_method=intent["payment_method"])


@after("setup_intent.succeeded")
def set_up(world: World, intent: Obj) -> None:
    subscription = world.find("subscription", intent.get("_subscription"))
    if subscription is None:
        return
    attach(world, intent["payment_method"], world.get("customer", subscription["customer"]))
    world.change(subscription, pending_setup_intent=None)
    if subscription["payment_settings"]["save_default_payment_method"] == "on_subscription":
        world.change(subscription, default_payment_method=intent["payment_method"])
    world.emit("customer.subscription.updated", subscription)


@after("payment_intent.processing")
def processing(world: World, intent: Obj) -> None:
    """A bank debit under way is trusted until it fails."""
    invoice = world.find("invoice", intent.get("_invoice"))
    subscription = world.find("subscription", subscription_id(invoice)) if invoice else None
    if subscription and subscription["status"] == "incomplete":
        set_status(world, subscription, "active")


@after("invoice.payment_failed")
def failed(world: World, invoice: Obj) -> None:
    subscription = world.find("subscription", subscription_id(invoice))
    if subscription is None or pending_updates.waits_for(subscription, invoice):
        return
    if subscription["status"] in ("active", "trialing"):
        set_status(world, subscription, "past_due")


@after("invoice.exhausted")
def exhausted(world: World, invoice: Obj) -> None:
    """The last retry failed: the account's choice decides."""
    subscription = world.find("subscription", subscription_id(invoice))
    if subscription is None or subscription["status"] not in LIVE:
        return
    if world.settings.after_last_retry == "cancel":
        end(world, subscription, reason="payment_failed")
    elif world.settings.after_last_retry == "unpaid":
        set_status(world, subscription, "unpaid")


@after("invoice.marked_uncollectible")
def given_up(world: World, invoice: Obj) -> None:
    subscription = world.find("subscription", subscription_id(invoice))
    behind = subscription is not None and subscription["status"] in ("past_due", "unpaid")
    if subscription and behind and subscription["latest_invoice"] == invoice["id"]:
        set_status(world, subscription, "active")


@after("invoice.voided")
def voided(world: World, invoice: Obj) -> None:
    """Without its first invoice an incomplete subscription cannot begin any more."""
    subscription = world.find("subscription", subscription_id(invoice))
    if (
        subscription
        and subscription["status"] == "incomplete"
        and subscription["latest_invoice"] == invoice["id"]
    ):
        world.change(subscription, ended_at=world.now())
        set_status(world, subscription, "incomplete_expired")


def set_status(world: World, subscription: Obj, status: str) -> None:
    world.change(subscription, status=status)
    set_timers(world, subscription)
    world.emit("customer.subscription.updated", subscription)


TIMERS = {
    "renew": renew, "cancel": cancel_due, "trial_will_end": trial_will_end, "upcoming": upcoming,
    "resume_collection": resume_collection,
}  # fmt: skip
