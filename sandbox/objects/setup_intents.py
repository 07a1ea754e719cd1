"""Setup intents: saving a payment method for later."""

from stripe import params as sdk

from sandbox.cards import Card
from sandbox.errors import CardError, refused
from sandbox.hooks import tell
from sandbox.objects.fields import base, live_customer, taken, update
from sandbox.objects.paying import NOT_AUTHENTICATED, ask
from sandbox.objects.payment_intents import NEEDS_RETURN_URL
from sandbox.objects.payment_methods import attach, behaviour, usable
from sandbox.paging import matching, page
from sandbox.rendering import render
from sandbox.routes import listing, one, post
from sandbox.world import Obj, World

COVERED = (
    "automatic_payment_methods confirm customer description metadata payment_method return_url "
    "usage use_stripe_sdk"
)
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def create(world: World, params: Obj) -> Obj:
    intent = new_intent(world, params)
    world.emit("setup_intent.created", intent)
    if params.get("confirm"):
        return confirm(world, params, intent["id"])
    return intent


def new_intent(world: World, params: Obj) -> Obj:
    intent = base(world, "setup_intent", "seti_", params)
    redirects = params.get("automatic_payment_methods", {}).get("allow_redirects", "always")
    intent |= {
        "automatic_payment_methods": {"allow_redirects": redirects, "enabled": True},
        "client_secret": f"{intent['id']}_secret_{world.new_id('', 25)}", "customer": None,
        "description": None,
        "last_setup_error": None, "next_action": None, "payment_method": None,
        "payment_method_options": {}, "payment_method_types": ["card", "link"],
        "status": "requires_payment_method", "usage": params.get("usage", "off_session"),
        **taken(params, "description"), "_return_url": params.get("return_url"),
    }  # fmt: skip
    if params.get("customer"):
        intent["customer"] = live_customer(world, params["customer"])["id"]
    world.insert(intent)
    choose(world, intent, params)
    return intent


def choose(world: World, intent: Obj, params: Obj) -> None:
    if not params.get("payment_method"):
        return
    method = usable(world, params["payment_method"])
    if method["customer"] and method["customer"] != intent["customer"]:
        raise refused("The provided PaymentMethod belongs to another Customer.", param="payment_method")
    world.change(intent, payment_method=method["id"], status="requires_confirmation", next_action=None)


def confirm(world: World, params: Obj, key: str) -> Obj:
    intent = world.get("setup_intent", key)
    expect(intent, "confirmed")
    choose(world, intent, params)
    if "return_url" in params:
        world.change(intent, _return_url=params["return_url"])
    redirects = intent["automatic_payment_methods"]["allow_redirects"] == "always"
    if redirects and not intent["_return_url"]:
        raise refused(NEEDS_RETURN_URL, param="return_url")
    if intent["payment_method"] is None:
        raise refused(
            "You cannot confirm this SetupIntent because it's missing a payment method.",
            code="setup_intent_unexpected_state", setup_intent=render(intent),
        )  # fmt: skip
    method = world.get("payment_method", intent["payment_method"])
    card = behaviour(method)
    if card.asks != "never":
        ask(world, intent)
        return intent
    error = settle(world, intent, method, card)
    if error:
        raise error
    return intent


def expect(intent: Obj, done: str) -> None:
    if intent["status"] not in OPEN:
        raise refused(
            f"You cannot get this SetupIntent {done} because it has a status of {intent['status']}.",
            code="setup_intent_unexpected_state", setup_intent=render(intent),
        )  # fmt: skip


def settle(world: World, intent: Obj, method: Obj, card: Card) -> CardError | None:
    if not card.attaches:
        return fail(world, intent, method, card.message, card.code or "card_declined", card.decline_code)
    world.change(method, _set_up=True)
    world.change(intent, status="succeeded", next_action=None, last_setup_error=None)
    if intent["customer"]:
        attach(world, method["id"], world.get("customer", intent["customer"]))
    world.emit("setup_intent.succeeded", intent)
    tell("setup_intent.succeeded", world, intent)
    return None


def fail(
    world: World, intent: Obj, method: Obj, message: str, code: str, decline_code: str | None = None
) -> CardError:
    error = CardError(message, code=code, decline_code=decline_code, payment_method=render(method))
    world.change(
        intent, status="requires_payment_method", payment_method=None, next_action=None,
        last_setup_error=dict(error.error),
    )  # fmt: skip
    world.emit("setup_intent.setup_failed", intent)
    error.error["setup_intent"] = render(intent)
    return error


def authenticate(world: World, intent: Obj, *, success: bool) -> CardError | None:
    if intent["status"] != "requires_action":
        raise refused(
            "This SetupIntent does not wait for an authentication.", code="setup_intent_unexpected_state"
        )
    method = world.get("payment_method", intent["payment_method"])
    if not success:
        return fail(world, intent, method, NOT_AUTHENTICATED, "setup_intent_authentication_failure")
    return settle(world, intent, method, behaviour(method))


def change(world: World, params: Obj, key: str) -> Obj:
    intent = world.get("setup_intent", key)
    expect(intent, "updated")
    if params.get("customer"):
        live_customer(world, params["customer"])
    update(world, intent, params, "customer description")
    choose(world, intent, params)
    return intent


def cancel(world: World, params: Obj, key: str) -> Obj:
    intent = world.get("setup_intent", key)
    expect(intent, "canceled")
    reason = params.get("cancellation_reason")
    world.change(intent, status="canceled", cancellation_reason=reason, next_action=None)
    world.emit("setup_intent.canceled", intent)
    return intent


def listed(world: World, params: Obj) -> Obj:
    rows = matching(world.all("setup_intent"), params, "customer", "payment_method")
    return page(rows, params, "/v1/setup_intents")


ROUTES = (
    post("/v1/setup_intents", create, sdk.SetupIntentCreateParams, COVERED),
    one("/v1/setup_intents/{id}", "setup_intent", sdk.SetupIntentRetrieveParams),
    post(
        "/v1/setup_intents/{id}",
        change,
        sdk.SetupIntentUpdateParams,
        "customer description metadata payment_method",
    ),
    post(
        "/v1/setup_intents/{id}/confirm",
        confirm,
        sdk.SetupIntentConfirmParams,
        "payment_method return_url use_stripe_sdk",
    ),
    post("/v1/setup_intents/{id}/cancel", cancel, sdk.SetupIntentCancelParams, "cancellation_reason"),
    listing("/v1/setup_intents", listed, sdk.SetupIntentListParams, "customer payment_method"),
)
