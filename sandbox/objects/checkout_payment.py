"""What happens when a person completes the page of a checkout session?"""

from sandbox.errors import ApiError, CardError, refused
from sandbox.hooks import after
from sandbox.objects import customers, paying, setup_intents, subscriptions
from sandbox.objects.checkout import shown
from sandbox.objects.payment_intents import new_intent
from sandbox.objects.payment_methods import attach, behaviour, usable
from sandbox.world import Obj, World


def complete(world: World, session: Obj, card: str, *, authenticated: bool = False) -> ApiError | None:
    """Pay with a test card. A decline leaves the session open, for another try; the error is returned."""
    if session["status"] != "open":
        raise refused("This Checkout Session is no longer open.")
    owner = customer_of(world, session)
    method = usable(world, card)
    world.change(method, billing_details={**method["billing_details"], "email": email(world, session)})
    run = {"payment": pay, "subscription": subscribe, "setup": set_up}[session["mode"]]
    try:
        run(world, session, owner, method, authenticated)
    except CardError as error:
        return error
    finish(world, session)
    return None


def email(world: World, session: Obj) -> str | None:
    owner = world.find("customer", session["customer"])
    given = owner.get("email") if owner else session.get("customer_email")
    return str(given) if given else None


def customer_of(world: World, session: Obj) -> Obj | None:
    """Subscriptions need a customer; a single payment makes one only when asked to."""
    if session["customer"]:
        return world.get("customer", session["customer"])
    if session["mode"] == "payment" and session["customer_creation"] != "always":
        return None
    made = customers.create(world, {"email": session.get("customer_email") or "person@example.com"})
    world.change(session, customer=made["id"])
    return made


def pay(world: World, session: Obj, owner: Obj | None, method: Obj, authenticated: bool) -> None:
    data = session["_payment_intent_data"]
    if session["amount_total"] == 0:
        world.change(session, payment_status="no_payment_required")
        return
    if not session["payment_intent"]:
        intent = new_intent(world, {
            "amount": session["amount_total"], "currency": session["currency"], "metadata": {},
            "customer": owner["id"] if owner else None, **data,
        })  # fmt: skip
        world.change(intent, _session=session["id"])
        world.emit("payment_intent.created", intent)
        world.change(session, payment_intent=intent["id"])
    intent = world.get("payment_intent", session["payment_intent"])
    world.change(intent, _return_url=session.get("success_url"))
    attempt(world, intent, method, authenticated)
    world.change(session, payment_status="paid" if intent["status"] == "succeeded" else "unpaid")


def attempt(world: World, intent: Obj, method: Obj, authenticated: bool, *, keeps: bool = True) -> None:
    error = paying.attempt(world, intent, method, authenticated=authenticated, errors_on_action=True)
    if error:
        error.keeps = keeps
        raise error


def subscribe(world: World, session: Obj, owner: Obj | None, method: Obj, authenticated: bool) -> None:
    """The subscription exists only when its first payment succeeded."""
    assert owner is not None
    items = [{"price": row["price"]["id"], "quantity": row["quantity"]} for row in session["_lines"]]
    discounts = [shown(world, key) for key in session["_discounts"]]
    given = {
        **session["_subscription_data"], "customer": owner["id"], "payment_behavior": "default_incomplete",
        "items": items, "discounts": [{k: v for k, v in entry.items() if v} for entry in discounts],
    }  # fmt: skip
    with world.transaction():
        subscription = subscriptions.create(world, given)
        invoice = world.get("invoice", subscription["latest_invoice"])
        if invoice["status"] == "open":
            intent = world.change(world.get("payment_intent", invoice["_intent"]), _session=session["id"])
            attempt(world, intent, method, authenticated, keeps=False)
        else:
            attach(world, method["id"], owner)
        world.change(subscription, default_payment_method=method["id"], pending_setup_intent=None)
        world.emit("customer.subscription.updated", subscription)
    paid = "paid" if invoice["status"] == "paid" else "unpaid"
    paid = paid if invoice["amount_due"] else "no_payment_required"
    world.change(session, subscription=subscription["id"], invoice=invoice["id"], payment_status=paid)


def set_up(world: World, session: Obj, owner: Obj | None, method: Obj, authenticated: bool) -> None:
    given = {
        "customer": owner["id"] if owner else None,
        "metadata": session["_setup_intent_data"].get("metadata", {}),
    }
    intent = setup_intents.new_intent(world, given)
    world.emit("setup_intent.created", intent)
    world.change(intent, payment_method=method["id"])
    error = setup_intents.settle(world, intent, method, behaviour(method))
    if error:
        raise error
    world.change(session, setup_intent=intent["id"])


def finish(world: World, session: Obj) -> None:
    world.set_timer("session", session["id"], None)
    details = {
        "address": None,
        "email": email(world, session),
        "name": None,
        "phone": None,
        "tax_exempt": "none",
    }
    world.change(session, status="complete", url=None, customer_details={**details, "tax_ids": []})
    world.emit("checkout.session.completed", session)


def waiting(world: World, intent: Obj) -> Obj | None:
    session = world.find("checkout.session", intent.get("_session"))
    return (
        session
        if session and session["status"] == "complete" and session["payment_status"] == "unpaid"
        else None
    )


@after("payment_intent.succeeded")
def settled(world: World, intent: Obj) -> None:
    """A bank debit that came through days after the page was left."""
    session = waiting(world, intent)
    if session:
        world.change(session, payment_status="paid")
        world.emit("checkout.session.async_payment_succeeded", session)


@after("payment_intent.payment_failed")
def failed(world: World, intent: Obj) -> None:
    session = waiting(world, intent)
    if session:
        world.emit("checkout.session.async_payment_failed", session)
