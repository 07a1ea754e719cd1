"""Payment intents: from a price to a charge."""

from typing import Any

from stripe import params as sdk

from sandbox.errors import ApiError, refused
from sandbox.objects import charges, paying
from sandbox.objects.fields import base, check_amount, check_currency, live_customer, taken, update
from sandbox.objects.payment_methods import usable
from sandbox.paging import matching, page
from sandbox.rendering import render
from sandbox.routes import get, listing, not_covered, post
from sandbox.world import Obj, World

PLAIN = (
    "description receipt_email setup_future_usage shipping statement_descriptor statement_descriptor_suffix "
    "transfer_group"
)
CREATE = (
    f"{PLAIN} amount currency customer metadata payment_method automatic_payment_methods confirm "
    "capture_method off_session return_url error_on_requires_action"
)
CONFIRM = (
    "payment_method off_session return_url setup_future_usage receipt_email shipping "
    "error_on_requires_action use_stripe_sdk capture_method"
)
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
NEEDS_RETURN_URL = (
    "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because "
    "some of these "
    "payment methods might redirect your customer off of your page, you must provide a `return_url`. "
    "If you don't "
    "want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and "
    "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents."
)


def create(world: World, params: Obj) -> Obj:
    if params.get("return_url") and not params.get("confirm"):
        raise refused("return_url may only be given with confirm=true.", param="return_url")
    if params.get("off_session") and not params.get("confirm"):
        raise refused("off_session may only be given with confirm=true.", param="off_session")
    intent = new_intent(world, params)
    world.emit("payment_intent.created", intent)
    if params.get("confirm"):
        return confirm(world, params, intent["id"])
    return intent


def new_intent(world: World, params: Obj) -> Obj:
    currency = check_currency(params["currency"])
    check_amount(params["amount"], currency)
    intent = base(world, "payment_intent", "pi_", params)
    automatic = params.get("automatic_payment_methods")
    if automatic and not automatic["enabled"]:
        not_covered("automatic_payment_methods.enabled=false")
    redirects = (automatic or {}).get("allow_redirects", "always")
    intent |= {
        "amount": params["amount"], "amount_capturable": 0, "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": {"allow_redirects": redirects, "enabled": True},
        "capture_method": params.get("capture_method", "automatic_async"), "cancellation_reason": None,
        "client_secret": f"{intent['id']}_secret_{world.new_id('', 25)}",
        "confirmation_method": "automatic", "currency": currency,
        "customer": None, "last_payment_error": None, "latest_charge": None, "next_action": None,
        "payment_method": None, "payment_method_options": {},
        "payment_method_types": ["card", "link"],
        "status": "requires_payment_method", **dict.fromkeys(PLAIN.split()), **taken(params, PLAIN),
        "_return_url": params.get("return_url"), "_invoice": None, "_authenticated": False,
    }  # fmt: skip
    if params.get("customer"):
        intent["customer"] = live_customer(world, params["customer"])["id"]
    world.insert(intent)
    choose(world, intent, params)
    return intent


def choose(world: World, intent: Obj, params: Obj) -> None:
    """Take the payment method that was given: it must be nobody's, or this customer's."""
    if not params.get("payment_method"):
        return
    method = usable(world, params["payment_method"])
    if method["customer"] and method["customer"] != intent["customer"]:
        raise refused(
            f"The provided PaymentMethod ({method['id']}) belongs to a Customer: include the Customer in the "
            "`customer` parameter on the PaymentIntent.", param="payment_method",
        )  # fmt: skip
    if method.get("_detached"):
        raise refused(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
            "attachment, shared "
            "with a connected account without Customer attachment, or was detached from a Customer.",
        )
    world.change(intent, payment_method=method["id"], status="requires_confirmation", next_action=None)


def confirm(world: World, params: Obj, key: str) -> Obj:
    intent = world.get("payment_intent", key)
    expect(intent, OPEN, "confirmed")
    choose(world, intent, params)
    update(world, intent, params, "setup_future_usage receipt_email shipping capture_method")
    if "return_url" in params:
        world.change(intent, _return_url=params["return_url"])
    off_session = params.get("off_session") not in (None, False)
    redirects = intent["automatic_payment_methods"]["allow_redirects"] == "always"
    if redirects and not (
        intent["_return_url"] or off_session or intent["_invoice"] or params.get("use_stripe_sdk")
    ):
        raise refused(NEEDS_RETURN_URL, param="return_url")
    if intent["payment_method"] is None:
        raise refused(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again "
            "directly with a "
            "payment method.", code="payment_intent_unexpected_state", payment_intent=render(intent),
        )  # fmt: skip
    method = world.get("payment_method", intent["payment_method"])
    on_action = params.get("error_on_requires_action", False)
    error = paying.attempt(world, intent, method, off_session=off_session, errors_on_action=on_action)
    if error:
        raise error
    return intent


def expect(intent: Obj, statuses: tuple[str, ...], done: str) -> None:
    if intent["status"] not in statuses:
        raise refused(
            f"This PaymentIntent could not be {done} because it has a status of {intent['status']}. Only a "
            f"PaymentIntent with one of the following statuses may be {done}: {', '.join(statuses)}.",
            code="payment_intent_unexpected_state", payment_intent=render(intent),
        )  # fmt: skip


def change(world: World, params: Obj, key: str) -> Obj:
    intent = world.get("payment_intent", key)
    if any(name in params for name in ("amount", "currency", "customer", "payment_method")):
        expect(intent, OPEN, "updated")
    if intent["_invoice"] and params.keys() & {"amount", "currency", "customer"}:
        raise refused("You cannot change what a PaymentIntent that an invoice created asks for.")
    if params.keys() & {"amount", "currency"}:
        asked = {"amount": intent["amount"], "currency": intent["currency"], **params}
        check_amount(asked["amount"], check_currency(asked["currency"]))
        world.change(intent, amount=asked["amount"], currency=asked["currency"].lower())
    if params.get("customer"):
        live_customer(world, params["customer"])
    update(world, intent, params, f"{PLAIN} customer capture_method")
    choose(world, intent, params)
    return intent


def capture(world: World, params: Obj, key: str) -> Obj:
    intent = world.get("payment_intent", key)
    expect(intent, ("requires_capture",), "captured")
    amount: int = (
        params["amount_to_capture"] if "amount_to_capture" in params else intent["amount_capturable"]
    )
    if not 0 < amount <= intent["amount_capturable"]:
        raise refused(
            "The requested capture amount is greater than the amount you can capture: "
            f"{intent['amount_capturable']}.",
            code="amount_too_large", param="amount_to_capture",
        )  # fmt: skip
    charge = world.get("charge", intent["latest_charge"])
    charges.capture(world, charge, amount)
    world.change(charge, amount_refunded=0)
    world.emit("charge.captured", charge)
    update(world, intent, params, "statement_descriptor statement_descriptor_suffix")
    paying.complete(world, intent, charge)
    return intent


def cancel(world: World, params: Obj, key: str) -> Obj:
    intent = world.get("payment_intent", key)
    if intent["_invoice"]:
        raise refused(
            "You cannot cancel a PaymentIntent created by an Invoice. Instead, you should void the Invoice.",
            code="payment_intent_unexpected_state",
        )
    expect(intent, (*OPEN, "requires_capture"), "canceled")
    return cancel_intent(world, intent, params.get("cancellation_reason"))


def cancel_intent(world: World, intent: Obj, reason: str | None) -> Obj:
    if intent["status"] == "requires_capture":  # the authorisation is given back, nothing had been taken
        charge = world.get("charge", intent["latest_charge"])
        world.change(charge, refunded=True, amount_refunded=0)
        world.emit("charge.refunded", charge)
    world.change(
        intent, status="canceled", canceled_at=world.now(), cancellation_reason=reason, amount_capturable=0,
        next_action=None,
    )  # fmt: skip
    world.emit("payment_intent.canceled", intent)
    return intent


def authenticate(world: World, intent: Obj, *, success: bool) -> ApiError | None:
    """The cardholder's answer, from the page that `next_action` names."""
    expect(intent, ("requires_action",), "authenticated")
    if not success:
        return paying.refuse_authentication(world, intent)
    method = world.get("payment_method", intent["payment_method"])
    return paying.attempt(world, intent, method, authenticated=True)


def listed(world: World, params: Obj) -> Obj:
    return page(matching(world.all("payment_intent"), params, "customer"), params, "/v1/payment_intents")


def retrieve(world: World, params: Obj, key: str) -> Any:
    return world.get("payment_intent", key)


TIMERS = {"settle": paying.settle}

ROUTES = (
    post("/v1/payment_intents", create, sdk.PaymentIntentCreateParams, CREATE),
    get("/v1/payment_intents/{id}", retrieve, sdk.PaymentIntentRetrieveParams),
    post(
        "/v1/payment_intents/{id}",
        change,
        sdk.PaymentIntentUpdateParams,
        f"{PLAIN} amount currency customer metadata payment_method capture_method",
    ),
    post("/v1/payment_intents/{id}/confirm", confirm, sdk.PaymentIntentConfirmParams, CONFIRM),
    post(
        "/v1/payment_intents/{id}/capture",
        capture,
        sdk.PaymentIntentCaptureParams,
        "amount_to_capture metadata statement_descriptor statement_descriptor_suffix",
    ),
    post("/v1/payment_intents/{id}/cancel", cancel, sdk.PaymentIntentCancelParams, "cancellation_reason"),
    listing("/v1/payment_intents", listed, sdk.PaymentIntentListParams, "customer"),
)
