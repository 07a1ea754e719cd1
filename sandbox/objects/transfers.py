"""Transfers, which pay connected accounts, and their reversals."""

from stripe import params as sdk

from sandbox.errors import refused
from sandbox.objects.balance import book, total
from sandbox.objects.fields import base, check_currency, empty_list, need, taken, update
from sandbox.paging import matching, page
from sandbox.routes import listing, one, post
from sandbox.world import Obj, World


def create(world: World, params: Obj) -> Obj:
    amount, currency = need(params, "amount"), check_currency(params["currency"])
    account = world.get("account", params["destination"], "destination")
    if amount < 1:
        raise refused("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if account["capabilities"].get("transfers") != "active":
        raise refused(
            "Your destination account needs to have at least one of the following capabilities enabled: "
            "transfers, crypto_transfers, legacy_payments", code="insufficient_capabilities_for_transfer",
        )  # fmt: skip
    source = params.get("source_transaction")
    if source:
        world.get("charge", source, "source_transaction")
    elif amount > total(world, currency, "available"):
        raise refused(
            "You have insufficient available funds in your Stripe account. A charge's money is "
            "available after some "
            "days; pm_card_bypassPending makes it available at once.", code="balance_insufficient",
        )  # fmt: skip
    transfer = base(world, "transfer", "tr_", params)
    transfer |= {
        "amount": amount, "amount_reversed": 0, "currency": currency, "destination": account["id"],
        "destination_payment": world.new_id("py_"), "reversed": False, "source_transaction": source,
        "source_type": "card", **taken(params, "description transfer_group"),
        "reversals": empty_list(f"/v1/transfers/{transfer['id']}/reversals"),
    }  # fmt: skip
    transfer["balance_transaction"] = book(world, "transfer", -amount, transfer)["id"]
    world.insert(transfer)
    world.emit("transfer.created", transfer)
    return transfer


def change(world: World, params: Obj, key: str) -> Obj:
    transfer = update(world, world.get("transfer", key), params, "description")
    world.emit("transfer.updated", transfer)
    return transfer


def reverse(world: World, params: Obj, key: str) -> Obj:
    transfer = world.get("transfer", key)
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = params.get("amount", left)
    if not 0 < amount <= left:
        raise refused(
            f"Transfer amount to reverse ({amount}) is greater than what is left ({left}).", param="amount"
        )
    reversal = base(world, "transfer_reversal", "trr_", params)
    del reversal["livemode"]
    reversal |= {"amount": amount, "currency": transfer["currency"], "transfer": key}
    reversal["balance_transaction"] = book(world, "transfer_refund", amount, reversal)["id"]
    world.insert(reversal)
    reversed_so_far = transfer["amount_reversed"] + amount
    world.change(transfer, amount_reversed=reversed_so_far, reversed=reversed_so_far == transfer["amount"])
    world.touch(transfer)["reversals"]["data"].append({**reversal})
    world.emit("transfer.reversed", transfer)
    return reversal


def listed(world: World, params: Obj) -> Obj:
    return page(
        matching(world.all("transfer"), params, "destination", "transfer_group"), params, "/v1/transfers"
    )


def reversals(world: World, params: Obj, key: str) -> Obj:
    return page(
        matching(world.all("transfer_reversal"), {"transfer": key}, "transfer"), params, "/v1/transfers"
    )


ROUTES = (
    post(
        "/v1/transfers",
        create,
        sdk.TransferCreateParams,
        "amount currency description destination metadata source_transaction transfer_group",
    ),
    one("/v1/transfers/{id}", "transfer", sdk.TransferRetrieveParams),
    post("/v1/transfers/{id}", change, sdk.TransferUpdateParams, "description metadata"),
    listing("/v1/transfers", listed, sdk.TransferListParams, "destination transfer_group"),
    post(
        "/v1/transfers/{id}/reversals",
        reverse,
        sdk.TransferReversalCreateParams,
        "amount metadata",
    ),
    listing("/v1/transfers/{id}/reversals", reversals, sdk.TransferReversalListParams),
)
