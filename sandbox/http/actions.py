"""What can a person do on a payment's page? (The hosted page and the controls do the same.)"""

from sandbox.errors import ApiError, refused
from sandbox.objects import accounts, checkout_payment, paying, payment_intents, setup_intents
from sandbox.world import Obj, World

ACTIONS = ("pay", "decline", "authenticate", "refuse", "settle", "fail", "onboard", "restrict")
DECLINING = "pm_card_chargeDeclined"


def act(world: World, key: str, action: str, card: str) -> ApiError | None:
    """pay with a card, decline, authenticate or refuse to, settle or fail a bank debit; of a connected
    account onboard or restrict.

    A decline is returned.
    """
    if action not in ACTIONS:
        raise refused(f"action is one of {', '.join(ACTIONS)}", param="action")
    if key.startswith("acct_") or action in ("onboard", "restrict"):
        on_account(world, world.get("account", key), action)
        return None
    if key.startswith("cs_"):
        return on_session(world, world.get("checkout.session", key), action, card)
    if key.startswith("seti_"):
        return on_setup(world, world.get("setup_intent", key), action, card)
    return on_payment(world, world.get("payment_intent", key), action, card)


def on_account(world: World, account: Obj, action: str) -> None:
    if action not in ("onboard", "restrict"):
        raise refused("An account is to onboard or to restrict.", param="action")
    (accounts.onboard if action == "onboard" else accounts.restrict)(world, account)


def on_session(world: World, session: Obj, action: str, card: str) -> ApiError | None:
    if action == "authenticate":
        return checkout_payment.complete(world, session, "pm_card_authenticationRequired", authenticated=True)
    if action in ("decline", "refuse", "fail"):
        card = (
            DECLINING if session["mode"] == "setup" or action == "decline" else "pm_card_chargeCustomerFail"
        )
    return checkout_payment.complete(world, session, card)


def on_payment(world: World, intent: Obj, action: str, card: str) -> ApiError | None:
    if action in ("settle", "fail"):
        paying.settle(world, intent["id"], fails=action == "fail")
        return None
    if action in ("authenticate", "refuse"):
        if intent["status"] in ("requires_payment_method", "requires_confirmation"):
            confirm(world, intent, "pm_card_authenticationRequired")
        return payment_intents.authenticate(world, intent, success=action == "authenticate")
    return confirm(world, intent, DECLINING if action == "decline" else card)


def confirm(world: World, intent: Obj, card: str) -> ApiError | None:
    given = {"payment_method": card, "return_url": intent["_return_url"], "use_stripe_sdk": True}
    try:
        payment_intents.confirm(world, given, intent["id"])
    except ApiError as error:
        if not error.keeps:
            raise
        return error
    return None


def on_setup(world: World, intent: Obj, action: str, card: str) -> ApiError | None:
    if action in ("authenticate", "refuse"):
        if intent["status"] in ("requires_payment_method", "requires_confirmation"):
            set_up(world, intent, "pm_card_authenticationRequired")
        return setup_intents.authenticate(world, intent, success=action == "authenticate")
    return set_up(world, intent, DECLINING if action == "decline" else card)


def set_up(world: World, intent: Obj, card: str) -> ApiError | None:
    back = intent["_return_url"] or f"{world.address}/pay/{intent['id']}"
    try:
        setup_intents.confirm(world, {"payment_method": card, "return_url": back}, intent["id"])
    except ApiError as error:
        if not error.keeps:
            raise
        return error
    return None
