"""What comes of an attempt to pay: success, a decline, a question to the cardholder, or waiting?"""

from sandbox.cards import Card
from sandbox.errors import CardError
from sandbox.hooks import tell
from sandbox.objects import charges
from sandbox.objects.payment_methods import attach, behaviour
from sandbox.rendering import render
from sandbox.world import Obj, World

WANTS_AUTHENTICATION = Card(code="authentication_required", decline_code="authentication_required")
NOT_AUTHENTICATED = (
    "We are unable to authenticate your payment method. Please choose a different "
    "payment method and try again."
)


def attempt(
    world: World,
    intent: Obj,
    method: Obj,
    *,
    off_session: bool = False,
    authenticated: bool = False,
    errors_on_action: bool = False,
) -> CardError | None:
    """One attempt to pay the intent. A decline is returned, for the caller to raise or to live with."""
    card = behaviour(method)
    world.change(
        intent, payment_method=method["id"], next_action=None, last_payment_error=None,
        status="requires_confirmation",
        _authenticated=authenticated,
    )  # fmt: skip
    asks = card.asks == "always" or (card.asks == "setup" and not method["_set_up"])
    if asks and not authenticated:
        if off_session or errors_on_action:
            return decline(world, intent, method, WANTS_AUTHENTICATION)
        ask(world, intent)
        return None
    if card.settles != "now":
        wait(world, intent, method)
        return None
    if card.code:
        return decline(world, intent, method, card)
    succeed(world, intent, charges.new_charge(world, intent, method))
    return None


def ask(world: World, intent: Obj) -> None:
    """The cardholder has to say yes, on the page that `next_action` names."""
    page = f"{world.address}/pay/{intent['id']}"
    back = intent["_return_url"]
    action = (
        {"type": "redirect_to_url", "redirect_to_url": {"return_url": back, "url": page}}
        if back
        else {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page},
        }
    )
    world.change(intent, status="requires_action", next_action=action)
    world.emit(f"{intent['object']}.requires_action", intent)


def wait(world: World, intent: Obj, method: Obj) -> None:
    """A bank debit: nothing is known for days."""
    charge = world.change(charges.new_charge(world, intent, method), status="pending", paid=False)
    world.emit("charge.pending", charge)
    world.change(intent, status="processing", latest_charge=charge["id"], processing=None)
    world.set_timer("settle", intent["id"], world.now() + world.settings.processing_seconds)
    world.emit("payment_intent.processing", intent)
    tell("payment_intent.processing", world, intent)


def settle(world: World, intent_id: str, *, fails: bool | None = None) -> None:
    intent = world.get("payment_intent", intent_id)
    if intent["status"] != "processing":
        return
    world.set_timer("settle", intent_id, None)
    charge = world.get("charge", intent["latest_charge"])
    method = world.get("payment_method", intent["payment_method"])
    card = behaviour(method)
    if card.settles == "fail" if fails is None else fails:
        decline(world, intent, method, card, charge)
    else:
        succeed(world, intent, charge)


def decline(world: World, intent: Obj, method: Obj, card: Card, charge: Obj | None = None) -> CardError:
    charge = charge or charges.new_charge(world, intent, method)
    charges.fail(world, charge, card)
    code = card.code or "card_declined"
    facts = {"charge": charge["id"], "payment_method": render(method), "advice_code": "try_again_later"}
    error = CardError(card.message, code=code, decline_code=card.decline_code, **facts)
    return fail(world, intent, error, latest_charge=charge["id"])


def fail(world: World, intent: Obj, error: CardError, **fields: str) -> CardError:
    last = {**error.error, "payment_method_type": error.error["payment_method"]["type"]}
    world.change(
        intent, status="requires_payment_method", payment_method=None, next_action=None,
        last_payment_error=last,
        **fields,
    )  # fmt: skip
    world.emit("payment_intent.payment_failed", intent)
    tell("payment_intent.payment_failed", world, intent)
    error.error["payment_intent"] = render(intent)
    return error


def refuse_authentication(world: World, intent: Obj) -> CardError:
    method = world.get("payment_method", intent["payment_method"])
    code = "payment_intent_authentication_failure"
    return fail(world, intent, CardError(NOT_AUTHENTICATED, code=code, payment_method=render(method)))


def succeed(world: World, intent: Obj, charge: Obj) -> None:
    world.change(intent, latest_charge=charge["id"])
    remember(world, intent)
    if intent["capture_method"] == "manual":
        world.emit("charge.succeeded", charge)
        world.change(intent, status="requires_capture", amount_capturable=intent["amount"])
        world.emit("payment_intent.amount_capturable_updated", intent)
        return
    charges.capture(world, charge, intent["amount"])
    world.emit("charge.succeeded", charge)
    complete(world, intent, charge)


def remember(world: World, intent: Obj) -> None:
    """A payment that promised future use leaves its method with the customer."""
    customer = world.find("customer", intent["customer"])
    method = world.get("payment_method", intent["payment_method"])
    if intent["setup_future_usage"] and customer:
        world.change(method, _set_up=intent["setup_future_usage"] == "off_session" or method["_set_up"])
        attach(world, method["id"], customer)


def complete(world: World, intent: Obj, charge: Obj) -> None:
    world.change(
        intent,
        status="succeeded",
        amount_received=charge["amount_captured"],
        amount_capturable=0,
        next_action=None,
    )
    world.emit("payment_intent.succeeded", intent)
    tell("payment_intent.succeeded", world, intent)
    tell("charge.captured", world, charge)
