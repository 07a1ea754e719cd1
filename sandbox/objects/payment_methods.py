"""Payment methods: made from test cards, attached to customers, detached."""

from stripe import params as sdk

from sandbox.cards import Card, known
from sandbox.errors import CardError, refused
from sandbox.hooks import after
from sandbox.objects.fields import base, live_customer, metadata, taken, update
from sandbox.paging import matching, page
from sandbox.routes import get, listing, one, parts, post
from sandbox.world import Obj, World

BILLING = parts("billing_details", "address email name phone")
NO_NUMBERS = (
    "Sending credit card numbers directly to the Stripe API is generally unsafe. The stand-in takes "
    "tokens such as "
    "card[token]=tok_visa, and the names of test cards such as pm_card_visa."
)


def create(world: World, params: Obj) -> Obj:
    if params.get("type") != "card":
        raise refused("The stand-in makes payment methods of type card.", param="type")
    token = params.get("card", {}).get("token")
    if token is None or len(params["card"]) > 1:
        raise refused(NO_NUMBERS, param="card[number]")
    card = known(token) if token.startswith("tok_") else None
    if card is None:
        raise refused(f"No such token: '{token}'", code="resource_missing", param="card[token]")
    method = make(world, card, token)
    update(world, method, params, "")
    method["billing_details"] |= taken(params.get("billing_details", {}), "address email name phone")
    return method


def make(world: World, card: Card, name: str) -> Obj:
    method = base(world, "payment_method", "pm_", {})
    details = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}
    method |= {
        "allow_redisplay": "unspecified", "billing_details": details, "customer": None, "type": card.kind,
        card.kind: card_details(card) if card.kind == "card" else bank_details(card), "_card": card.as_dict(),
        "_name": name, "_set_up": False,
    }  # fmt: skip
    return world.insert(method)


def card_details(card: Card) -> Obj:
    return {
        "brand": card.brand, "checks": {"address_line1_check": None, "address_postal_code_check": None,
        "cvc_check": "pass"}, "country": "US", "display_brand": card.brand, "exp_month": 12, "exp_year": 2034,
        "fingerprint": f"sandbox{card.brand}{card.last4}", "funding": "credit", "generated_from": None,
        "last4": card.last4, "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated", "three_d_secure_usage": {"supported": True}, "wallet": None,
    }  # fmt: skip


def bank_details(card: Card) -> Obj:
    return {
        "account_holder_type": "individual", "account_type": "checking", "bank_name": "STRIPE TEST BANK",
        "fingerprint": f"sandboxbank{card.last4}", "last4": card.last4, "routing_number": "110000000",
    }  # fmt: skip


def usable(world: World, key: str, param: str = "payment_method") -> Obj:
    """The payment method with this id; the name of a test card makes a new one, as Stripe does."""
    card = known(key) if key.startswith("pm_") else None
    return make(world, card, key) if card else world.get("payment_method", key, param)


def behaviour(method: Obj) -> Card:
    return Card(**method["_card"])


def attach(world: World, key: str, customer: Obj) -> Obj:
    method = usable(world, key)
    if method["customer"] not in (None, customer["id"]):
        raise refused(
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
        )
    if method.get("_detached"):
        raise refused("This PaymentMethod was previously used and detached: it may not be used again.")
    card = behaviour(method)
    if not card.attaches:
        raise CardError(card.message, code=card.code or "card_declined", decline_code=card.decline_code)
    if method["customer"] is None:
        world.change(method, customer=customer["id"])
        world.emit("payment_method.attached", method)
    return method


def attach_route(world: World, params: Obj, key: str) -> Obj:
    return attach(world, key, live_customer(world, params.get("customer", "")))


def detach(world: World, params: Obj, key: str) -> Obj:
    method = world.get("payment_method", key)
    if method["customer"] is None:
        raise refused(
            "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    forget(world, method)
    return method


def forget(world: World, method: Obj) -> None:
    """A detached method is no default any more, anywhere, and can never come back."""
    owner = world.find("customer", method["customer"])
    world.change(method, customer=None, _detached=True)
    world.emit("payment_method.detached", method)
    if owner and owner.get("invoice_settings", {}).get("default_payment_method") == method["id"]:
        world.change(owner, invoice_settings={**owner["invoice_settings"], "default_payment_method": None})
        world.emit("customer.updated", owner)
    for subscription in world.all("subscription"):
        if subscription["default_payment_method"] == method["id"]:
            world.change(subscription, default_payment_method=None)
            world.emit("customer.subscription.updated", subscription)


@after("customer.deleted")
def forget_all(world: World, customer: Obj) -> None:
    for method in matching(world.all("payment_method"), {"customer": customer["id"]}, "customer"):
        forget(world, method)


def change(world: World, params: Obj, key: str) -> Obj:
    method = world.get("payment_method", key)
    if method["customer"] is None:
        raise refused("You must save this PaymentMethod to a customer before you can update it.")
    given = taken(params.get("billing_details", {}), "address email name phone")
    expiry = taken(params.get("card", {}), "exp_month exp_year")
    if expiry and method["type"] != "card":
        raise refused("You cannot update `card` on a PaymentMethod of another type.", param="card")
    card = {**method["card"], **expiry} if expiry else method["card"]
    world.change(
        method, billing_details={**method["billing_details"], **given}, card=card,
        metadata=metadata(method["metadata"], params), **taken(params, "allow_redisplay"),
    )  # fmt: skip
    world.emit("payment_method.updated", method)
    return method


def listed(world: World, params: Obj, *owner: str) -> Obj:
    customer = owner[0] if owner else params.get("customer")
    if customer:
        live_customer(world, customer)
    rows = matching(
        world.all("payment_method"), {**params, "customer": customer}, "customer", "type", "allow_redisplay"
    )
    return page(rows, params, "/v1/payment_methods")


def of_customer(world: World, params: Obj, customer: str, key: str) -> Obj:
    method = world.get("payment_method", key)
    return method if method["customer"] == customer else world.get("payment_method", "")


ROUTES = (
    post(
        "/v1/payment_methods",
        create,
        sdk.PaymentMethodCreateParams,
        f"type card metadata allow_redisplay {BILLING}",
    ),
    one("/v1/payment_methods/{id}", "payment_method", sdk.PaymentMethodRetrieveParams),
    post(
        "/v1/payment_methods/{id}",
        change,
        sdk.PaymentMethodUpdateParams,
        f"metadata allow_redisplay {BILLING} card.exp_month card.exp_year",
    ),
    post("/v1/payment_methods/{id}/attach", attach_route, sdk.PaymentMethodAttachParams, "customer"),
    post("/v1/payment_methods/{id}/detach", detach, sdk.PaymentMethodDetachParams),
    listing("/v1/payment_methods", listed, sdk.PaymentMethodListParams, "customer type allow_redisplay"),
    listing("/v1/customers/{id}/payment_methods", listed, sdk.CustomerPaymentMethodListParams, "type"),
    get("/v1/customers/{id}/payment_methods/{key}", of_customer, sdk.CustomerPaymentMethodRetrieveParams),
)
