"""Subscriptions: how they begin, and what can be read of them."""

from typing import Any

from stripe import params as sdk

from sandbox.errors import ApiError, refused
from sandbox.objects.collecting import advance_later, collect, default_method
from sandbox.objects.coupons import discounts_of
from sandbox.objects.fields import base, live_customer, need, taken
from sandbox.objects.invoice_lines import name_of, subscription_line
from sandbox.objects.invoicing import finalize
from sandbox.objects.payment_methods import usable
from sandbox.objects.setup_intents import new_intent
from sandbox.objects.subscription_invoices import add_extras, subscription_invoice
from sandbox.objects.subscription_items import COVERED as ITEMS
from sandbox.objects.subscription_items import EXTRAS, item_list, make_items, period, put_period, worth
from sandbox.objects.subscription_times import set_timers, tell_of_trial
from sandbox.paging import matching, page
from sandbox.periods import days, end_after, share, step
from sandbox.routes import listing, one, post
from sandbox.world import Obj, World

PLAIN = "collection_method days_until_due description"
COVERED = (
    f"{PLAIN} {ITEMS} {EXTRAS} billing_cycle_anchor billing_mode.type cancel_at "
    "cancel_at_period_end currency "
    "customer default_payment_method default_tax_rates discounts metadata off_session payment_behavior "
    "payment_settings.save_default_payment_method proration_behavior trial_end "
    "trial_period_days trial_settings"
)
NO_METHOD = (
    "This customer has no attached payment source or default payment method. Please consider adding one."
)


def create(world: World, params: Obj) -> Obj:
    behavior = params.get("payment_behavior", "allow_incomplete")
    if behavior == "pending_if_incomplete":
        raise refused("payment_behavior=pending_if_incomplete is for updates.", param="payment_behavior")
    subscription = new_subscription(world, params)
    begin(world, subscription)
    set_timers(world, subscription)
    invoice = first_invoice(world, subscription, params)
    world.emit("customer.subscription.created", subscription)
    tell_of_trial(world, subscription, before=None)
    collect_first(world, subscription, invoice, behavior, off_session=off_session(params))
    return subscription


def new_subscription(world: World, params: Obj) -> Obj:
    customer = live_customer(world, need(params, "customer"))
    subscription = base(world, "subscription", "sub_", params)
    items = make_items(world, params.get("items", []), subscription["id"])
    settings = params.get("payment_settings", {})
    ends = params.get("trial_settings", {}).get("end_behavior", {})
    subscription |= {
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_schedules": [],
        "billing_cycle_anchor": world.now(), "billing_mode": mode(world, params), "cancel_at": None,
        "cancel_at_period_end": False, "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "feedback_option": None, "reason": None},
        "collection_method": "charge_automatically", "currency": items[0]["price"]["currency"],
        "customer": customer["id"], "default_payment_method": None,
        "default_tax_rates": tax_rates(world, params),
        "discounts": [], "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": item_list(subscription["id"], items), "latest_invoice": None, "on_behalf_of": None,
        "payment_settings": {
            "payment_method_options": None, "payment_method_types": None,
            "save_default_payment_method": settings.get("save_default_payment_method", "off"),
        },
        "pending_setup_intent": None, "schedule": None, "start_date": world.now(), "status": "incomplete",
        "trial_settings": {
            "end_behavior": {"missing_payment_method": ends.get("missing_payment_method", "create_invoice")}
        }, "trial_end": None, "trial_start": None, **taken(params, PLAIN),
    }  # fmt: skip
    if subscription["collection_method"] == "send_invoice" and subscription.get("days_until_due") is None:
        raise refused(
            "days_until_due is required with collection_method=send_invoice.", param="days_until_due"
        )
    if params.get("currency", subscription["currency"]) != subscription["currency"]:
        raise refused("The currency given is not that of the prices.", param="currency")
    use_default(world, subscription, params)
    world.insert(subscription)
    subscription["discounts"] = discounts_of(
        world, params.get("discounts"), customer, subscription=subscription["id"]
    )
    subscription["_inherits_no_discount"] = params.get("discounts") == ""
    dates(world, subscription, params)
    return subscription


def mode(world: World, params: Obj) -> Obj:
    kind = params.get("billing_mode", {}).get("type", "flexible")
    flexible = {"proration_discounts": "included"} if kind == "flexible" else None
    return {"type": kind, "flexible": flexible, "updated_at": world.now()}


def tax_rates(world: World, params: Obj) -> list[Obj]:
    return [
        dict(world.get("tax_rate", key, "default_tax_rates")) for key in params.get("default_tax_rates") or []
    ]


def use_default(world: World, subscription: Obj, params: Obj) -> None:
    key = params.get("default_payment_method")
    if key == "":
        world.change(subscription, default_payment_method=None)
    elif key is not None:
        method = usable(world, key, "default_payment_method")
        if method["customer"] != subscription["customer"]:
            raise refused(
                f"The customer does not have a payment method with the ID {key}. The payment method "
                "must be attached "
                "to the customer.", code="resource_missing", param="default_payment_method",
            )  # fmt: skip
        world.change(subscription, default_payment_method=method["id"])


def dates(world: World, subscription: Obj, params: Obj) -> None:
    """The trial, the anchor of the billing cycle and the first period."""
    now = world.now()
    trial_end = params.get("trial_end")
    if "trial_period_days" in params and "trial_end" in params:
        raise refused("You may only specify one of trial_end and trial_period_days.", param="trial_end")
    if "trial_period_days" in params:
        trial_end = now + days(params["trial_period_days"])
    if isinstance(trial_end, int) and trial_end <= now:
        raise refused(
            "Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end"
        )
    anchor = params.get("billing_cycle_anchor", now)
    if isinstance(trial_end, int):
        subscription.update(trial_start=now, trial_end=trial_end, status="trialing")
        anchor = params.get("billing_cycle_anchor", trial_end)
    if anchor < now:
        raise refused("billing_cycle_anchor cannot be in the past.", param="billing_cycle_anchor")
    subscription["billing_cycle_anchor"] = anchor
    items = subscription["items"]["data"]
    put_period(items, now, trial_end if isinstance(trial_end, int) else first_end(items[0], anchor, now))
    plan_end(world, subscription, params)


def first_end(item: Obj, anchor: int, now: int) -> int:
    """An anchor in the future makes a short first period."""
    recurring = item["price"]["recurring"]
    if anchor > end_after(now, recurring, now):
        raise refused(
            "billing_cycle_anchor cannot be later than next natural billing date.",
            param="billing_cycle_anchor",
        )
    return end_after(anchor, recurring, now)


def plan_end(world: World, subscription: Obj, params: Obj) -> None:
    """`cancel_at_period_end` and `cancel_at`: given, taken back, or left as they are."""
    _, end = period(subscription)
    at: Any = params.get("cancel_at")
    if at is not None and params.get("cancel_at_period_end") is not None:
        raise refused("You may only specify one of cancel_at and cancel_at_period_end.", param="cancel_at")
    if isinstance(at, int) and at <= world.now():
        raise refused("cancel_at must be in the future.", param="cancel_at")
    if params.get("cancel_at_period_end"):
        fields: Obj = {"cancel_at": end, "cancel_at_period_end": True}
    elif params.get("cancel_at_period_end") is False or at == "":
        fields = {"cancel_at": None, "cancel_at_period_end": False}
    elif at is not None:
        fields = {"cancel_at": at if isinstance(at, int) else end, "cancel_at_period_end": False}
    else:
        follow_period(world, subscription)
        return
    ending = fields["cancel_at"] is not None
    details = {**subscription["cancellation_details"], "reason": "cancellation_requested" if ending else None}
    at_once = (subscription["canceled_at"] or world.now()) if ending else None
    world.change(subscription, canceled_at=at_once, cancellation_details=details, **fields)


def follow_period(world: World, subscription: Obj) -> None:
    """Another period, another end."""
    if subscription["cancel_at_period_end"]:
        world.change(subscription, cancel_at=period(subscription)[1])


def begin(world: World, subscription: Obj) -> None:
    """Paid by invoice, it is active at once; everything else waits for its first payment."""
    if subscription["status"] != "trialing" and subscription["collection_method"] == "send_invoice":
        world.change(subscription, status="active")


def first_invoice(world: World, subscription: Obj, params: Obj) -> Obj:
    start, end = period(subscription)
    trialing = subscription["status"] == "trialing"
    lines = []
    for item in subscription["items"]["data"]:
        amount = 0 if trialing else first_amount(subscription, item, params)
        words = f"Trial period for {name_of(world, item['price'])}" if trialing else None
        lines.append(
            subscription_line(world, subscription, item, (start, end), amount=amount, description=words)
        )
    customer = world.get("customer", subscription["customer"])
    add_extras(world, customer, params)
    return subscription_invoice(
        world, subscription, "subscription_create", lines, period=(world.now(), world.now())
    )


def first_amount(subscription: Obj, item: Obj, params: Obj) -> int:
    """Whole for a whole period; a short first period costs its part."""
    start, end = period(subscription)
    anchor, recurring = subscription["billing_cycle_anchor"], item["price"]["recurring"]
    full = step(anchor, recurring["interval"], -recurring["interval_count"])
    if anchor <= start or full == start:
        return worth(item)
    return 0 if params.get("proration_behavior") == "none" else share(worth(item), end - start, end - full)


def off_session(params: Obj) -> bool:
    """Unless told otherwise the customer is there, and can be asked."""
    return params.get("off_session") not in (None, "", False)


def collect_first(world: World, subscription: Obj, invoice: Obj, behavior: str, *, off_session: bool) -> None:
    offer_setup(world, subscription, behavior)
    if subscription["collection_method"] == "send_invoice" and invoice["total"] > 0:
        advance_later(world, invoice)
        return
    finalize(world, invoice)
    if invoice["status"] != "open" or behavior == "default_incomplete":
        return
    method = default_method(world, invoice)
    if method is None:
        raise refused(NO_METHOD, code="resource_missing")
    error = collect(world, invoice, method=method, off_session=off_session)
    if error and behavior == "error_if_incomplete":
        raise undone(error)


def undone(error: ApiError) -> ApiError:
    """With error_if_incomplete nothing stays of what could not be paid."""
    error.keeps = False
    if error.error.get("code") == "invoice_payment_intent_requires_action":
        error.error["code"] = "subscription_payment_intent_requires_action"
    return error


def offer_setup(world: World, subscription: Obj, behavior: str) -> None:
    """A trial without a payment method gets a setup intent, so that one can be given before it ends."""
    latest = world.get("invoice", subscription["latest_invoice"])
    automatic = subscription["collection_method"] == "charge_automatically"
    if (
        latest["amount_due"] == 0
        and automatic
        and behavior == "default_incomplete"
        and not default_method(world, latest)
    ):
        intent = new_intent(world, {"customer": subscription["customer"], "metadata": {}})
        world.change(intent, _subscription=subscription["id"])
        world.change(subscription, pending_setup_intent=intent["id"])
        world.emit("setup_intent.created", intent)


def listed(world: World, params: Obj) -> Obj:
    status = params.get("status")
    rows = matching(world.all("subscription"), params, "customer", "collection_method")
    gone = ("canceled", "incomplete_expired")
    if status in (None, "ended"):
        rows = [row for row in rows if (row["status"] in gone) == (status == "ended")]
    elif status != "all":
        rows = [row for row in rows if row["status"] == status]
    wanted = params.get("price")
    rows = [row for row in rows if wanted in (None, *(item["price"]["id"] for item in row["items"]["data"]))]
    return page(rows, params, "/v1/subscriptions")


ROUTES = (
    post("/v1/subscriptions", create, sdk.SubscriptionCreateParams, COVERED),
    one("/v1/subscriptions/{id}", "subscription", sdk.SubscriptionRetrieveParams),
    listing(
        "/v1/subscriptions", listed, sdk.SubscriptionListParams, "collection_method customer price status"
    ),
)
