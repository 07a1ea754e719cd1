"""What happens when a subscription is changed while it runs: prices, quantities, anchors, trials, pauses?"""

from typing import Any

from stripe import params as sdk

from sandbox.errors import missing, refused
from sandbox.objects import pending_updates
from sandbox.objects.collecting import collect, default_method
from sandbox.objects.coupons import discounts_of
from sandbox.objects.fields import taken, update
from sandbox.objects.invoice_lines import subscription_line
from sandbox.objects.invoicing import finalize
from sandbox.objects.prorations import prorations
from sandbox.objects.subscription_invoices import add_extras, subscription_invoice
from sandbox.objects.subscription_items import (
    CHANGES,
    EXTRAS,
    changed_items,
    item_list,
    leave_pending,
    period,
    put_period,
    rhythm,
    worth,
)
from sandbox.objects.subscription_times import LIVE, set_timers, tell_of_trial
from sandbox.objects.subscriptions import (
    NO_METHOD,
    PLAIN,
    off_session,
    plan_end,
    tax_rates,
    undone,
    use_default,
)
from sandbox.periods import end_after
from sandbox.routes import delete, post
from sandbox.world import Obj, World

COVERED = (
    f"{PLAIN} {CHANGES} {EXTRAS} billing_cycle_anchor cancel_at cancel_at_period_end "
    "cancellation_details.comment cancellation_details.feedback default_payment_method default_tax_rates "
    "discounts metadata off_session pause_collection payment_behavior "
    "payment_settings.save_default_payment_method proration_behavior proration_date trial_end trial_settings"
)


ITEM = ("price", "price_data", "quantity", "metadata")
WHILE_INCOMPLETE = ("metadata", "default_payment_method", "payment_settings")
HOW = "proration_behavior proration_date payment_behavior"


def change_route(world: World, params: Obj, key: str) -> Obj:
    subscription = world.get("subscription", key)
    over = subscription["status"] in ("canceled", "incomplete_expired")
    if over and set(params) - {"metadata", "cancellation_details", "expand"}:
        raise refused("A canceled subscription can only update its cancellation_details and metadata.")
    if subscription["status"] == "incomplete" and set(params) - {*WHILE_INCOMPLETE, "expand"}:
        raise refused("A subscription that is incomplete can only update its metadata and what pays for it.")
    change(world, subscription, params)
    return subscription


def change(world: World, subscription: Obj, params: Obj) -> None:
    if subscription["schedule"] and params.keys() & {"cancel_at", "cancel_at_period_end"}:
        raise refused(
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and "
            "updating any cancelation behavior directly is not allowed. Please update the schedule instead."
        )
    behavior = params.get("payment_behavior", "allow_incomplete")
    if behavior == "pending_if_incomplete" and change_if_paid(world, subscription, params):
        return
    if "items" in params:
        pending_updates.give_up(world, subscription)
    trial_end = subscription["trial_end"]
    plain(world, subscription, params)
    add_extras(world, world.get("customer", subscription["customer"]), params)
    lines, at_once = change_items(world, subscription, params)
    plan_end(world, subscription, params)
    set_timers(world, subscription)
    old = subscription["latest_invoice"]
    if at_once:
        subscription_invoice(
            world, subscription, "subscription_update", lines, period=(world.now(), world.now())
        )
    world.emit("customer.subscription.updated", subscription)
    tell_of_trial(world, subscription, before=trial_end)
    if subscription["latest_invoice"] != old:
        collect_update(world, subscription, behavior, off_session=off_session(params))


def change_if_paid(world: World, subscription: Obj, params: Obj) -> bool:
    """Whether it costs something at once: what does not is simply done."""
    pending_updates.check(world, subscription, params)
    with world.scratch():
        lines, at_once = change_items(world, subscription, params)
        wanted = pending_updates.held(subscription)
    if at_once:
        pending_updates.give_up(world, subscription)
        pending_updates.wait_for_payment(world, subscription, wanted, lines, no_method=NO_METHOD)
    return at_once


def plain(world: World, subscription: Obj, params: Obj) -> None:
    """Everything that is only written down."""
    update(world, subscription, params, PLAIN)
    use_default(world, subscription, params)
    if "default_tax_rates" in params:
        world.change(subscription, default_tax_rates=tax_rates(world, params))
    if "payment_settings" in params:
        merged = {**subscription["payment_settings"], **params["payment_settings"]}
        world.change(subscription, payment_settings=merged)
    if "trial_settings" in params:
        world.change(subscription, trial_settings=params["trial_settings"])
    if "cancellation_details" in params:
        given = taken(params["cancellation_details"], "comment feedback")
        world.change(subscription, cancellation_details={**subscription["cancellation_details"], **given})
    if "discounts" in params:
        customer = world.get("customer", subscription["customer"])
        found = discounts_of(world, params["discounts"], customer, subscription=subscription["id"])
        world.change(subscription, discounts=found, _inherits_no_discount=params["discounts"] == "")
    if "pause_collection" in params:
        wish = params["pause_collection"]
        paused = {"behavior": wish["behavior"], "resumes_at": wish.get("resumes_at")} if wish else None
        world.change(subscription, pause_collection=paused)


def change_items(world: World, subscription: Obj, params: Obj) -> tuple[list[Obj], bool]:
    """Apply new items, anchors and trials. Returns lines for an invoice at once, and whether there is one."""
    world.touch(subscription)
    old = [dict(item) for item in subscription["items"]["data"]]
    new = changed_items(world, subscription, params.get("items", []))
    at = params.get("proration_date", world.now())
    start, end = period(subscription)
    if not start <= at <= end:
        raise refused("Invalid proration_date: must be within the current period.", param="proration_date")
    how = params.get("proration_behavior", "create_prorations")
    resets = needs_reset(subscription, params, old, new)
    lines = prorations(world, subscription, old, new, at, anew=resets)
    lines = [] if how == "none" else lines
    was_trialing = subscription["status"] == "trialing"
    put_period(new, start, end)
    subscription["items"] = item_list(subscription["id"], new)
    if "trial_end" in params:
        return change_trial(world, subscription, params["trial_end"])
    if was_trialing or not resets:
        return settle_lines(world, subscription, lines, [*old, *new], how)
    return lines + restart(world, subscription), subscription["status"] in LIVE


def needs_reset(subscription: Obj, params: Obj, old: list[Obj], new: list[Obj]) -> bool:
    """A new interval, a first paid price after a free one, or a wish starts the billing cycle anew, now."""
    if subscription["status"] == "trialing" or params.get("trial_end"):
        return False
    free = not any(map(worth, old)) and any(map(worth, new))
    other = rhythm(old[0]["price"]) != rhythm(new[0]["price"])
    return free or other or params.get("billing_cycle_anchor", {}).get("type") == "now"


def settle_lines(
    world: World, subscription: Obj, lines: list[Obj], items: list[Obj], how: str
) -> tuple[list[Obj], bool]:
    if how == "always_invoice" and lines:
        return lines, True
    leave_pending(world, subscription, lines, items)
    return [], False


def restart(world: World, subscription: Obj) -> list[Obj]:
    """The billing cycle begins now: a new anchor, a whole new period, its lines."""
    now, items = world.now(), subscription["items"]["data"]
    end = end_after(now, items[0]["price"]["recurring"], now)
    put_period(items, now, end)
    world.change(subscription, billing_cycle_anchor=now)
    return [subscription_line(world, subscription, item, (now, end)) for item in items]


def change_trial(world: World, subscription: Obj, trial_end: Any) -> tuple[list[Obj], bool]:
    now = world.now()
    if trial_end == "now":
        if subscription["status"] != "trialing":
            return [], False
        world.change(subscription, trial_end=now, status="active")
        return restart(world, subscription), True
    if trial_end <= now:
        raise refused(
            "Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end"
        )
    put_period(subscription["items"]["data"], now, trial_end)
    started = subscription["trial_start"] if subscription["status"] == "trialing" else now
    world.change(
        subscription,
        trial_start=started,
        trial_end=trial_end,
        status="trialing",
        billing_cycle_anchor=trial_end,
    )
    return [], False


def collect_update(world: World, subscription: Obj, behavior: str, *, off_session: bool) -> None:
    """The invoice of an update is collected at once; when that fails, the subscription is past due."""
    invoice = world.get("invoice", subscription["latest_invoice"])
    finalize(world, invoice)
    if invoice["status"] != "open" or invoice["collection_method"] == "send_invoice":
        return
    if behavior == "default_incomplete":
        world.change(subscription, status="past_due")
        world.emit("customer.subscription.updated", subscription)
        return
    if behavior == "error_if_incomplete" and default_method(world, invoice) is None:
        raise refused(NO_METHOD, code="resource_missing")
    error = collect(world, invoice, off_session=off_session)
    if error and behavior == "error_if_incomplete":
        raise undone(error)


def add_item(world: World, params: Obj) -> Obj:
    subscription = world.get("subscription", params["subscription"], "subscription")
    before = {item["id"] for item in subscription["items"]["data"]}
    put_item(world, subscription, {}, params)
    return next(item for item in subscription["items"]["data"] if item["id"] not in before)


def change_item(world: World, params: Obj, key: str) -> Obj:
    subscription = holder_of(world, key)
    put_item(world, subscription, {"id": key}, params)
    return next(item for item in subscription["items"]["data"] if item["id"] == key)


def remove_item(world: World, params: Obj, key: str) -> Obj:
    put_item(world, holder_of(world, key), {"id": key, "deleted": True}, params)
    return {"id": key, "object": "subscription_item", "deleted": True}


def holder_of(world: World, key: str) -> Obj:
    for subscription in world.all("subscription"):
        if any(item["id"] == key for item in subscription["items"]["data"]):
            return subscription
    raise missing("subscription_item", key, None)


def put_item(world: World, subscription: Obj, item: Obj, params: Obj) -> None:
    """An item alone: the same change, told from the item's side."""
    own = {name: params[name] for name in ITEM if name in params}
    rest = {name: value for name, value in params.items() if name not in (*ITEM, "subscription")}
    change_route(world, {**rest, "items": [{**item, **own}]}, subscription["id"])


ROUTES = (
    post("/v1/subscriptions/{id}", change_route, sdk.SubscriptionUpdateParams, COVERED),
    post(
        "/v1/subscription_items/{id}",
        change_item,
        sdk.SubscriptionItemUpdateParams,
        f"{' '.join(ITEM)} {HOW} off_session",
    ),
    post(
        "/v1/subscription_items",
        add_item,
        sdk.SubscriptionItemCreateParams,
        f"subscription {' '.join(ITEM)} {HOW}",
    ),
    delete("/v1/subscription_items/{id}", remove_item, sdk.SubscriptionItemDeleteParams, HOW),
)
