"""Charges: what one attempt to take money left behind."""

from stripe import params as sdk

from sandbox.cards import Card
from sandbox.expand import INCLUDES
from sandbox.objects.balance import book
from sandbox.objects.fields import update, whole_list
from sandbox.objects.payment_methods import behaviour
from sandbox.paging import matching, page
from sandbox.periods import share
from sandbox.routes import listing, one, post
from sandbox.world import Obj, World


def new_charge(world: World, intent: Obj, method: Obj) -> Obj:
    """The charge of a payment intent, before its outcome."""
    charge_id = world.new_id("ch_")
    charge = {
        "id": charge_id, "object": "charge", "amount": intent["amount"], "amount_captured": 0,
        "amount_refunded": 0, "balance_transaction": None, "billing_details": dict(method["billing_details"]),
        "calculated_statement_descriptor": "SANDBOX", "captured": False, "created": world.now(),
        "currency": intent["currency"], "customer": intent["customer"], "description": intent["description"],
        "disputed": False, "failure_code": None, "failure_message": None, "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]), "outcome": outcome(None), "paid": True,
        "payment_intent": intent["id"], "payment_method": method["id"],
        "payment_method_details": details(method, intent), "receipt_email": intent["receipt_email"],
        "receipt_url": f"{world.address}/pay/{intent['id']}", "refunded": False,
        "shipping": intent["shipping"],
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"], "status": "succeeded",
        "transfer_data": None, "transfer_group": intent["transfer_group"],
        "_refund_fails": behaviour(method).refund_fails,
        "_available_at_once": behaviour(method).available_at_once,
    }  # fmt: skip
    return world.insert(charge)


def details(method: Obj, intent: Obj) -> Obj:
    kind = method["type"]
    shown = dict(method[kind])
    if kind == "card":
        authenticated = {"authentication_flow": "challenge", "result": "authenticated", "version": "2.2.0"}
        shown["three_d_secure"] = authenticated if intent.get("_authenticated") else None
        shown["amount_authorized"] = intent["amount"]
        shown["network"], shown["mandate"] = shown["brand"], None
        for name in ("display_brand", "generated_from", "networks", "three_d_secure_usage"):
            del shown[name]
    return {kind: shown, "type": kind}


def outcome(card: Card | None) -> Obj:
    if card is None:
        return {
            "advice_code": None, "network_advice_code": None, "network_decline_code": None,
            "network_status": "approved_by_network", "reason": None, "risk_level": "normal", "risk_score": 20,
            "seller_message": "Payment complete.", "type": "authorized",
        }  # fmt: skip
    return {
        "advice_code": "try_again_later", "network_advice_code": None, "network_decline_code": "05",
        "network_status": "declined_by_network", "reason": card.decline_code, "risk_level": "normal",
        "risk_score": 20, "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }  # fmt: skip


def fail(world: World, charge: Obj, card: Card) -> None:
    world.change(
        charge, status="failed", paid=False, outcome=outcome(card), failure_code=card.code,
        failure_message=card.message,
    )  # fmt: skip
    world.emit("charge.failed", charge)


def capture(world: World, charge: Obj, amount: int) -> None:
    """Money moves now: the charge is captured and booked, less Stripe's fee."""
    fee = share(amount, world.settings.fee_permille, 1000) + world.settings.fee_fixed
    booking = book(
        world, "charge", amount, charge, fee=min(fee, amount), at_once=charge["_available_at_once"]
    )
    world.change(
        charge, captured=True, paid=True, status="succeeded", amount_captured=amount,
        balance_transaction=booking["id"],
    )  # fmt: skip


def refundable(charge: Obj) -> int:
    return int(charge["amount_captured"] - charge["amount_refunded"])


def change(world: World, params: Obj, key: str) -> Obj:
    charge = update(world, world.get("charge", key), params, "description receipt_email transfer_group")
    world.emit("charge.updated", charge)
    return charge


def listed(world: World, params: Obj) -> Obj:
    rows = matching(world.all("charge"), params, "customer", "payment_intent", "transfer_group")
    return page(rows, params, "/v1/charges")


def refunds(world: World, charge: Obj) -> Obj:
    rows = matching(world.all("refund"), {"charge": charge["id"]}, "charge")
    return whole_list(rows[::-1], f"/v1/charges/{charge['id']}/refunds")


INCLUDES["charge", "refunds"] = refunds

ROUTES = (
    one("/v1/charges/{id}", "charge", sdk.ChargeRetrieveParams),
    post(
        "/v1/charges/{id}",
        change,
        sdk.ChargeUpdateParams,
        "description metadata receipt_email transfer_group",
    ),
    listing("/v1/charges", listed, sdk.ChargeListParams, "customer payment_intent transfer_group"),
)
