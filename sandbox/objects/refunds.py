"""Refunds: giving back a charge, wholly or in part, and never more than it took."""

from stripe import params as sdk

from sandbox.errors import refused
from sandbox.objects.balance import book
from sandbox.objects.charges import refundable
from sandbox.objects.fields import base, check_last_digit, update
from sandbox.paging import matching, page
from sandbox.routes import listing, one, post
from sandbox.world import Obj, World


def create(world: World, params: Obj) -> Obj:
    charge = charge_of(world, params)
    left = refundable(charge)
    if charge.get("_charged_back"):
        raise refused(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    if left == 0 or charge["refunded"]:
        raise refused(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = params.get("amount", left)
    if amount < 1:
        raise refused("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise refused(message, param="amount", code="amount_too_large")
    check_last_digit(amount, charge["currency"])
    return give_back(world, charge, amount, params)


def charge_of(world: World, params: Obj) -> Obj:
    if ("charge" in params) == ("payment_intent" in params):
        raise refused(
            "One of the following params should be provided: payment_intent or charge.", param="charge"
        )
    if "charge" in params:
        charge = world.get("charge", params["charge"], "charge")
    else:
        intent = world.get("payment_intent", params["payment_intent"], "payment_intent")
        if not intent["latest_charge"]:
            raise refused(
                "This PaymentIntent does not have a successful charge to refund.", param="payment_intent"
            )
        charge = world.get("charge", intent["latest_charge"])
    if not charge["captured"] or charge["status"] != "succeeded":
        raise refused(f"Charge {charge['id']} was not captured or did not succeed; it cannot be refunded.")
    return charge


def give_back(world: World, charge: Obj, amount: int, params: Obj) -> Obj:
    refund = base(world, "refund", "re_", params)
    del refund["livemode"]
    kind = charge["payment_method_details"]["type"]
    refund |= {
        "amount": amount, "charge": charge["id"], "currency": charge["currency"],
        "customer": charge["customer"],
        "destination_details": {kind: {"reference_status": "pending", "type": "refund"}, "type": kind},
        "payment_intent": charge["payment_intent"], "reason": params.get("reason"), "status": "succeeded",
    }  # fmt: skip
    refund["balance_transaction"] = book(world, "refund", -amount, refund)["id"]
    world.insert(refund)
    total = charge["amount_refunded"] + amount
    world.change(charge, amount_refunded=total, refunded=total == charge["amount_captured"])
    world.emit("refund.created", refund)
    world.emit("charge.refunded", charge)
    if charge["_refund_fails"]:
        fail(world, refund, charge)
    return refund


def fail(world: World, refund: Obj, charge: Obj) -> None:
    """The bank could not pay it back: the amount returns to the account and can be refunded otherwise."""
    booking = book(world, "refund_failure", refund["amount"], refund)
    world.change(
        refund,
        status="failed",
        failure_reason="expired_or_canceled_card",
        failure_balance_transaction=booking["id"],
    )
    world.change(charge, amount_refunded=charge["amount_refunded"] - refund["amount"], refunded=False)
    world.emit("refund.updated", refund)
    world.emit("refund.failed", refund)
    world.emit("charge.refund.updated", refund)


def change(world: World, params: Obj, key: str) -> Obj:
    refund = update(world, world.get("refund", key), params, "")
    world.emit("refund.updated", refund)
    world.emit("charge.refund.updated", refund)
    return refund


def listed(world: World, params: Obj) -> Obj:
    return page(matching(world.all("refund"), params, "charge", "payment_intent"), params, "/v1/refunds")


ROUTES = (
    post("/v1/refunds", create, sdk.RefundCreateParams, "amount charge payment_intent reason metadata"),
    one("/v1/refunds/{id}", "refund", sdk.RefundRetrieveParams),
    post("/v1/refunds/{id}", change, sdk.RefundUpdateParams, "metadata"),
    listing("/v1/refunds", listed, sdk.RefundListParams, "charge payment_intent"),
)
