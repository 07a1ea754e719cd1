"""Checkout sessions: a page where a person pays, subscribes or leaves a payment method."""

from typing import Any

from stripe import params as sdk
from stripe.params import checkout as sdk_checkout

from sandbox.errors import refused
from sandbox.expand import INCLUDES
from sandbox.objects.coupons import check_currency_of, discounts_of
from sandbox.objects.fields import base, empty_list, live_customer, need, taken, whole_list
from sandbox.objects.invoice_lines import name_of, parts
from sandbox.objects.products import price_of
from sandbox.paging import cut, matching, page
from sandbox.periods import DAY
from sandbox.routes import get, listing, one, post
from sandbox.world import Obj, World

PLAIN = "cancel_url client_reference_id customer_email locale return_url success_url"
COVERED = (
    f"{PLAIN} currency customer "
    "customer_creation discounts expires_at line_items.price line_items.price_data "
    "line_items.quantity metadata mode "
    "payment_intent_data.metadata payment_intent_data.description payment_intent_data.setup_future_usage "
    "payment_intent_data.transfer_group payment_intent_data.receipt_email setup_intent_data.metadata "
    "subscription_data.metadata subscription_data.trial_period_days subscription_data.trial_end "
    "subscription_data.trial_settings subscription_data.description ui_mode"
)
DATA = "payment_intent_data subscription_data setup_intent_data"


def create(world: World, params: Obj) -> Obj:
    mode = need(params, "mode")
    hosted = params.get("ui_mode", "hosted_page").startswith("hosted")
    if hosted and "success_url" not in params:
        raise refused("Missing required param: success_url.", code="parameter_missing", param="success_url")
    if (mode == "setup") == bool(params.get("line_items")):
        raise refused(
            "line_items go with the modes payment and subscription, and are required there.",
            param="line_items",
        )
    customer = live_customer(world, params["customer"]) if "customer" in params else None
    session = new_session(world, params, mode, customer)
    price(world, session, params, customer)
    world.insert(session)
    world.set_timer("session", session["id"], session["expires_at"])
    return session


def new_session(world: World, params: Obj, mode: str, customer: Obj | None) -> Obj:
    session = base(world, "checkout.session", "cs_test_", params)
    session |= {
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "currency": params.get("currency"), "customer": customer["id"] if customer else None,
        "custom_fields": [],
        "custom_text": dict.fromkeys(("after_submit", "submit", "terms_of_service_acceptance")),
        "customer_creation": params.get("customer_creation", "if_required") if mode == "payment" else None,
        "expires_at": params.get("expires_at", world.now() + DAY), "invoice": None, "mode": mode,
        "payment_intent": None, "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid", "setup_intent": None,
        "shipping_options": [], "status": "open", "subscription": None, "total_details": None,
        "ui_mode": params.get("ui_mode", "hosted_page"), "url": f"{world.address}/pay/{session['id']}",
        "amount_subtotal": None, "amount_total": None, "customer_details": None, "discounts": [],
        **taken(params, PLAIN), **{f"_{name}": params.get(name, {}) for name in DATA.split()},
    }  # fmt: skip
    if not world.now() + 1800 <= session["expires_at"] <= world.now() + DAY:
        raise refused("expires_at must be between 30 minutes and 24 hours from now.", param="expires_at")
    return session


def price(world: World, session: Obj, params: Obj, customer: Obj | None) -> None:
    """The sums, with discounts; the discounts themselves are redeemed here in payment mode."""
    rows = [line(world, entry) for entry in params.get("line_items", [])]
    session["_lines"] = rows
    if not rows:
        return
    recurring = [row["price"]["recurring"] is not None for row in rows]
    if (session["mode"] == "subscription") != any(recurring) or len({row["currency"] for row in rows}) > 1:
        raise refused(
            "You must use recurring prices in subscription mode and only one-time prices in payment "
            "mode, all of "
            "one currency.", param="line_items",
        )  # fmt: skip
    keys = discounts_of(world, params.get("discounts"), customer, checkout_session=session["id"])
    left = [row["amount_subtotal"] for row in rows]
    for key in keys:
        check_currency_of(world.get("discount", key)["_coupon"], rows[0]["currency"])
        off = parts(world.get("discount", key)["_coupon"], left)
        left = [amount - part for amount, part in zip(left, off, strict=True)]
    for row, amount in zip(rows, left, strict=True):
        row.update(amount_total=amount, amount_discount=row["amount_subtotal"] - amount)
    subtotal = sum(row["amount_subtotal"] for row in rows)
    session.update(
        currency=rows[0]["currency"], amount_subtotal=subtotal, amount_total=sum(left), _discounts=keys,
        total_details={"amount_discount": subtotal - sum(left), "amount_shipping": 0, "amount_tax": 0},
        discounts=[shown(world, key) for key in keys],
    )  # fmt: skip


def shown(world: World, key: str) -> Obj:
    discount = world.get("discount", key)
    return {"coupon": discount["source"]["coupon"], "promotion_code": discount["promotion_code"]}


def line(world: World, entry: Obj) -> Obj:
    sold, quantity = price_of(world, entry), entry.get("quantity", 1)
    amount = sold["unit_amount"] * quantity
    return {
        "id": world.new_id("li_"), "object": "item", "amount_discount": 0, "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount, "currency": sold["currency"], "description": name_of(world, sold),
        "price": dict(sold), "quantity": quantity,
    }  # fmt: skip


def expire(world: World, params: Obj, key: str) -> Obj:
    session = world.get("checkout.session", key)
    if session["status"] != "open":
        raise refused('Only Checkout Sessions with a status in ["open"] can be expired.')
    world.set_timer("session", key, None)
    world.change(session, status="expired", url=None)
    world.emit("checkout.session.expired", session)
    return session


def expire_due(world: World, key: str) -> None:
    if world.get("checkout.session", key)["status"] == "open":
        expire(world, {}, key)


def listed(world: World, params: Obj) -> Obj:
    names = ("customer", "payment_intent", "subscription", "status")
    return page(matching(world.all("checkout.session"), params, *names), params, "/v1/checkout/sessions")


def lines(world: World, params: Obj, key: str) -> Any:
    rows = world.get("checkout.session", key)["_lines"]
    return cut(rows, params, f"/v1/checkout/sessions/{key}/line_items")


INCLUDES["checkout.session", "line_items"] = lambda world, it: (
    whole_list(rows, f"/v1/checkout/sessions/{it['id']}/line_items")
    if (rows := world.get("checkout.session", it["id"])["_lines"])
    else empty_list(f"/v1/checkout/sessions/{it['id']}/line_items")
)


# The portal: configured nowhere, so that its page offers to cancel, to come back, and to return.


def portal(world: World, params: Obj) -> Obj:
    customer = live_customer(world, need(params, "customer"))
    session = base(world, "billing_portal.session", "bps_", params)
    del session["metadata"]
    session |= {
        "configuration": "bpc_sandbox", "customer": customer["id"], "flow": None,
        "locale": params.get("locale"),
        "on_behalf_of": None, "return_url": params.get("return_url"),
        "url": f"{world.address}/portal/{session['id']}",
    }  # fmt: skip
    world.insert(session)
    return session


TIMERS = {"session": expire_due}

ROUTES = (
    post("/v1/checkout/sessions", create, sdk_checkout.SessionCreateParams, COVERED),
    one("/v1/checkout/sessions/{id}", "checkout.session", sdk_checkout.SessionRetrieveParams),
    post("/v1/checkout/sessions/{id}/expire", expire, sdk_checkout.SessionExpireParams),
    get(
        "/v1/checkout/sessions/{id}/line_items",
        lines,
        sdk_checkout.SessionLineItemListParams,
        "limit starting_after ending_before",
    ),
    listing(
        "/v1/checkout/sessions",
        listed,
        sdk_checkout.SessionListParams,
        "customer payment_intent subscription status",
    ),
    post(
        "/v1/billing_portal/sessions",
        portal,
        sdk.billing_portal.SessionCreateParams,
        "customer locale return_url",
    ),
)
