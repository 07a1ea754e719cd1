"""Subscription schedules: phases that are decided beforehand, such as a cheaper plan later."""

from stripe import params as sdk

from sandbox.errors import refused
from sandbox.hooks import after
from sandbox.objects.collecting import collect, default_method
from sandbox.objects.fields import base, metadata, need, taken
from sandbox.objects.invoicing import finalize
from sandbox.objects.products import price_of
from sandbox.objects.schedule_terms import COVERED as TERMS
from sandbox.objects.schedule_terms import present_terms, put_terms, terms_of
from sandbox.objects.subscription_changes import change as change_now
from sandbox.objects.subscription_ends import end
from sandbox.objects.subscription_items import (
    changed_items,
    check_alike,
    check_currency_of,
    check_recurring,
    item_list,
    period,
    put_period,
    rhythm,
)
from sandbox.objects.subscriptions import create as subscribe
from sandbox.paging import matching, page
from sandbox.periods import step
from sandbox.routes import listing, one, post
from sandbox.world import Obj, World

PHASES = (
    "phases.items.price phases.items.quantity phases.items.metadata "
    "phases.end_date phases.duration "
    f"phases.proration_behavior phases.metadata {TERMS}"
)
OPEN = ("not_started", "active")


def create(world: World, params: Obj) -> Obj:
    """From a running subscription (its present becomes the first phase), or a new one that starts now."""
    if "from_subscription" in params:
        subscription = world.get("subscription", params["from_subscription"], "from_subscription")
    else:
        subscription = begin(world, params)
    if subscription["schedule"] or subscription["status"] in ("canceled", "incomplete_expired"):
        raise refused(
            "This subscription cannot have a schedule (it has one, or has ended).", param="from_subscription"
        )
    schedule = base(world, "subscription_schedule", "sub_sched_", params)
    schedule |= {
        "billing_mode": dict(subscription["billing_mode"]), "customer": subscription["customer"],
        "default_settings": {
            "automatic_tax": None, "billing_cycle_anchor": "automatic",
            "collection_method": "charge_automatically",
            "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        },
        "end_behavior": params.get("end_behavior", "release"), "pause_schedules": [],
        "phases": [], "status": "active",
        "subscription": subscription["id"],
    }  # fmt: skip
    world.insert(schedule)
    given = params.get("phases")
    set_phases(world, schedule, subscription, given or [present(subscription)])
    world.change(subscription, schedule=schedule["id"])
    world.emit("subscription_schedule.created", schedule)
    world.emit("customer.subscription.updated", subscription)
    return schedule


def begin(world: World, params: Obj) -> Obj:
    if params.get("start_date", "now") not in ("now", world.now()):
        raise refused("The stand-in starts schedules now.", code="sandbox_not_covered", param="start_date")
    first, customer = need(params, "phases")[0], need(params, "customer")
    terms = taken(first, "items discounts default_tax_rates")
    subscription = subscribe(world, {"customer": customer, "payment_behavior": "default_incomplete", **terms})
    invoice = world.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "draft":
        finalize(world, invoice)
    if invoice["status"] == "open" and default_method(world, invoice):
        collect(world, invoice)
    return subscription


def present(subscription: Obj) -> Obj:
    items = subscription["items"]["data"]
    start, stop = period(subscription)
    kept = [{"price": item["price"]["id"], "quantity": item["quantity"]} for item in items]
    return {"items": kept, "start_date": start, "end_date": stop, **present_terms(subscription)}


def set_phases(world: World, schedule: Obj, subscription: Obj, given: list[Obj]) -> None:
    start = period(subscription)[0]
    phases: list[Obj] = []
    for number, entry in enumerate(given):
        start = entry["start_date"] if isinstance(entry.get("start_date"), int) else start
        if phases and phases[-1]["end_date"] != start:
            raise refused(
                "Each phase must start when the one before it ends.", param=f"phases[{number}][start_date]"
            )
        stop = phase_end(entry, start, last=number == len(given) - 1, subscription=subscription)
        items = [phase_item(world, item) for item in entry["items"]]
        priced = [{"price": world.get("price", item["price"])} for item in items]
        check_alike(priced)
        check_currency_of(priced, subscription)
        phases.append({
            "add_invoice_items": [], "currency": subscription["currency"], "end_date": stop,
            "items": items, "metadata": metadata({}, entry),
            "proration_behavior": entry.get("proration_behavior", "create_prorations"), "start_date": start,
            **terms_of(world, subscription, entry),
        })  # fmt: skip
        start = stop
    if phases[-1]["end_date"] <= world.now():
        raise refused("The last phase must end in the future.", param="phases")
    world.change(schedule, phases=phases)
    place(world, schedule)


def phase_end(entry: Obj, start: int, *, last: bool, subscription: Obj) -> int:
    if "end_date" in entry:
        return period(subscription)[1] if entry["end_date"] == "now" else int(entry["end_date"])
    if "duration" in entry:
        return step(start, entry["duration"]["interval"], entry["duration"].get("interval_count", 1))
    if not last:
        raise refused("Every phase but the last needs end_date or duration.", param="phases")
    recurring = subscription["items"]["data"][0]["price"]["recurring"]
    return step(start, recurring["interval"], recurring["interval_count"])


def phase_item(world: World, given: Obj) -> Obj:
    price = price_of(world, given)
    check_recurring(price)
    return {
        "discounts": [], "metadata": metadata({}, given), "plan": price["id"], "price": price["id"],
        "quantity": given.get("quantity", 1), "tax_rates": [],
    }  # fmt: skip


def place(world: World, schedule: Obj) -> None:
    """Where in its phases the schedule stands, and when it moves on."""
    now = world.now()
    current = next(
        (phase for phase in schedule["phases"] if phase["start_date"] <= now < phase["end_date"]), None
    )
    shown = {"start_date": current["start_date"], "end_date": current["end_date"]} if current else None
    world.change(schedule, current_phase=shown)
    world.set_timer("phase", schedule["id"], current["end_date"] if current else None)


@after("subscription.period_ended")
def at_renewal(world: World, subscription: Obj) -> None:
    """A phase that begins with a period puts its items in before the renewal is invoiced."""
    schedule = world.find("subscription_schedule", subscription["schedule"])
    for phase in schedule["phases"] if schedule else ():
        if phase["start_date"] == period(subscription)[1]:
            put_items(world, subscription, phase)


def put_items(world: World, subscription: Obj, phase: Obj) -> None:
    """Another interval is counted from here on."""
    put_terms(world, subscription, phase)
    world.touch(subscription)
    span, before = period(subscription), rhythm(subscription["items"]["data"][0]["price"])
    items = changed_items(world, subscription, changes_to(subscription, phase))
    put_period(items, *span)
    subscription["items"] = item_list(subscription["id"], items)
    if rhythm(items[0]["price"]) != before:
        world.change(subscription, billing_cycle_anchor=phase["start_date"])


def changes_to(subscription: Obj, phase: Obj) -> list[Obj]:
    """What was agreed holds, though its price may not be offered any more."""
    old = {item["price"]["id"]: item for item in subscription["items"]["data"]}
    wanted = {entry["price"]: entry for entry in phase["items"]}
    changes = [{"id": item["id"], "deleted": True} for key, item in old.items() if key not in wanted]
    for key, entry in wanted.items():
        named = {"id": old[key]["id"]} if key in old else {"price": key, "agreed": True}
        changes.append({**named, "quantity": entry["quantity"]})
    return changes


def phase_over(world: World, key: str) -> None:
    schedule = world.get("subscription_schedule", key)
    subscription = world.get("subscription", schedule["subscription"])
    if world.now() >= schedule["phases"][-1]["end_date"]:
        finish(world, schedule, "released" if schedule["end_behavior"] == "release" else "completed")
        if schedule["end_behavior"] == "cancel":
            end(world, subscription, reason="cancellation_requested")
        return
    if world.now() not in period(subscription):  # else the renewal of this moment does, or did, it
        phase = next(row for row in schedule["phases"] if row["start_date"] == world.now())
        wanted = {"items": changes_to(subscription, phase), "proration_behavior": phase["proration_behavior"]}
        put_terms(world, subscription, phase)
        change_now(world, subscription, wanted)
    place(world, schedule)
    world.emit("subscription_schedule.updated", schedule)


def finish(world: World, schedule: Obj, status: str) -> None:
    subscription = world.get("subscription", schedule["subscription"])
    world.set_timer("phase", schedule["id"], None)
    at = {"released": "released_at", "canceled": "canceled_at", "completed": "completed_at"}[status]
    world.change(schedule, status=status, current_phase=None, **{at: world.now()})
    if status == "released":
        world.change(schedule, released_subscription=subscription["id"], subscription=None)
    world.change(subscription, schedule=None)
    world.emit(f"subscription_schedule.{status}", schedule)
    if subscription["ended_at"] is None:
        world.emit("customer.subscription.updated", subscription)


def change(world: World, params: Obj, key: str) -> Obj:
    schedule = open_schedule(world, key)
    subscription = world.get("subscription", schedule["subscription"])
    world.change(schedule, metadata=metadata(schedule["metadata"], params))
    world.change(schedule, end_behavior=params.get("end_behavior", schedule["end_behavior"]))
    if "phases" in params:
        set_phases(world, schedule, subscription, params["phases"])
        put_present_terms(world, schedule, subscription)
    world.emit("subscription_schedule.updated", schedule)
    return schedule


def put_present_terms(world: World, schedule: Obj, subscription: Obj) -> None:
    for phase in schedule["phases"]:
        if phase["start_date"] <= world.now() < phase["end_date"]:
            put_terms(world, subscription, phase)


def open_schedule(world: World, key: str) -> Obj:
    schedule = world.get("subscription_schedule", key)
    if schedule["status"] not in OPEN:
        raise refused(f"This schedule is {schedule['status']} and cannot be changed.")
    return schedule


def release(world: World, params: Obj, key: str) -> Obj:
    schedule = open_schedule(world, key)
    finish(world, schedule, "released")
    return schedule


def cancel(world: World, params: Obj, key: str) -> Obj:
    schedule = open_schedule(world, key)
    end(world, world.get("subscription", schedule["subscription"]), reason="cancellation_requested")
    return schedule


@after("subscription.ended")
def end_with_it(world: World, subscription: Obj) -> None:
    schedule = world.find("subscription_schedule", subscription["schedule"])
    if schedule:
        finish(world, schedule, "canceled")


def listed(world: World, params: Obj) -> Obj:
    rows = matching(world.all("subscription_schedule"), params, "customer")
    return page(rows, params, "/v1/subscription_schedules")


TIMERS = {"phase": phase_over}

ROUTES = (
    post(
        "/v1/subscription_schedules",
        create,
        sdk.SubscriptionScheduleCreateParams,
        f"customer from_subscription start_date end_behavior metadata {PHASES}",
    ),
    one("/v1/subscription_schedules/{id}", "subscription_schedule", sdk.SubscriptionScheduleRetrieveParams),
    post(
        "/v1/subscription_schedules/{id}",
        change,
        sdk.SubscriptionScheduleUpdateParams,
        f"end_behavior metadata phases.start_date {PHASES}",
    ),
    post("/v1/subscription_schedules/{id}/release", release, sdk.SubscriptionScheduleReleaseParams),
    post("/v1/subscription_schedules/{id}/cancel", cancel, sdk.SubscriptionScheduleCancelParams),
    listing("/v1/subscription_schedules", listed, sdk.SubscriptionScheduleListParams, "customer"),
)
