"""An update that waits for its payment: what was asked for, until it is paid, withdrawn or too late."""

from typing import Any

from sandbox.errors import refused
from sandbox.hooks import after
from sandbox.objects.collecting import collect, default_method
from sandbox.objects.invoicing import finalize, subscription_id, void
from sandbox.objects.subscription_invoices import subscription_invoice
from sandbox.objects.subscription_items import period
from sandbox.objects.subscription_times import set_timers
from sandbox.world import Obj, World, copied

ALLOWED = {"expand", "items", "payment_behavior", "proration_behavior", "proration_date", "trial_end"}
ALLOWED |= {"billing_cycle_anchor"}
HELD = ("items", "billing_cycle_anchor", "status", "trial_start", "trial_end")


def check(world: World, subscription: Obj, params: Obj) -> None:
    for name in params.keys() - ALLOWED:
        known = name in ("add_invoice_items", "cancel_at_period_end", "discounts", "metadata")
        raise refused(
            f"`{name}` cannot be updated when `payment_behavior` is `pending_if_incomplete`.",
            code="sandbox_not_covered" if known else None,
            param=name,
        )
    if subscription["collection_method"] == "send_invoice":
        raise refused("Pending updates are not supported with `collection_method=send_invoice`.")


def held(subscription: Obj) -> Obj:
    """The fields that an update of items, anchor and trial may change, as they are."""
    return copied({name: subscription[name] for name in HELD})


def wait_for_payment(
    world: World, subscription: Obj, wanted: Obj, lines: list[Obj], *, no_method: str
) -> None:
    """Asks for the payment now; what is not paid at once leaves the subscription as it was."""
    now = world.now()
    invoice = subscription_invoice(world, subscription, "subscription_update", lines, period=(now, now))
    world.change(invoice, auto_advance=False)
    until = [now + world.settings.incomplete_hours * 3600, period(subscription)[1]]
    until += [subscription["trial_end"]] if subscription["status"] == "trialing" else []
    shown = {
        **dict.fromkeys(("cancel_at_period_end", "discount", "discounts", "metadata", "trial_from_plan")),
        "billing_cycle_anchor": changed(subscription, wanted, "billing_cycle_anchor"),
        "expires_at": min(until),
        "subscription_items": wanted["items"]["data"],
        "trial_end": changed(subscription, wanted, "trial_end"),
    }
    world.change(subscription, pending_update=shown, _pending={"invoice": invoice["id"], "wanted": wanted})
    finalize(world, invoice)
    if invoice["status"] == "open":
        if default_method(world, invoice) is None:
            raise refused(no_method, code="resource_missing")
        collect(world, invoice, off_session=False)
    if subscription["pending_update"]:
        subscription["_pending"]["told"] = True
        set_timers(world, subscription)
        world.emit("customer.subscription.updated", subscription)


def changed(subscription: Obj, wanted: Obj, name: str) -> Any:
    return wanted[name] if wanted[name] != subscription[name] else None


def waits_for(subscription: Obj, invoice: Obj) -> bool:
    return bool((subscription.get("_pending") or {}).get("invoice") == invoice["id"])


@after("invoice.paid")
def apply(world: World, invoice: Obj) -> None:
    subscription = world.find("subscription", subscription_id(invoice))
    if subscription is None or not waits_for(subscription, invoice):
        return
    pending = subscription["_pending"]
    world.change(subscription, **copied(pending["wanted"]), pending_update=None, _pending=None)
    set_timers(world, subscription)
    world.emit("customer.subscription.updated", subscription)
    if pending.get("told"):
        world.emit("customer.subscription.pending_update_applied", subscription)


@after("invoice.voided")
def discard(world: World, invoice: Obj) -> None:
    """Voiding its invoice is how an update is withdrawn, too."""
    subscription = world.find("subscription", subscription_id(invoice))
    if subscription is not None and waits_for(subscription, invoice):
        world.change(subscription, pending_update=None, _pending=None)
        set_timers(world, subscription)
        world.emit("customer.subscription.pending_update_expired", subscription)


def give_up(world: World, subscription: Obj) -> None:
    if subscription.get("_pending"):
        void(world, world.get("invoice", subscription["_pending"]["invoice"]))


def expire(world: World, key: str) -> None:
    give_up(world, world.get("subscription", key))


TIMERS = {"pending_update": expire}
