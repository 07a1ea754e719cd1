"""The account's own money: balance transactions, and what of it is available."""

from typing import Any

from stripe import params as sdk

from sandbox.paging import matching, page
from sandbox.periods import days
from sandbox.routes import get, listing
from sandbox.world import Obj, World

CATEGORY = {"payment": "charge", "adjustment": "dispute", "transfer_refund": "transfer_reversal"}


def book(
    world: World,
    kind: str,
    amount: int,
    source: Obj,
    *,
    fee: int = 0,
    at_once: bool = True,
    description: str | None = None,
) -> Obj:
    """A booking on the account's balance. `amount` is positive when money comes in."""
    now = world.now()
    available = now if at_once else now + days(world.settings.payout_delay_days)
    detail = {"amount": fee, "application": None, "currency": source["currency"], "type": "stripe_fee"}
    booking = {
        "id": world.new_id("txn_"), "object": "balance_transaction", "amount": amount,
        "available_on": available,
        "balance_type": "payments", "created": now, "currency": source["currency"],
        "description": description,
        "exchange_rate": None, "fee": fee,
        "fee_details": [{**detail, "description": "Stripe processing fees"}]
        if fee else [], "net": amount - fee, "reporting_category": CATEGORY.get(kind, kind),
        "source": source["id"],
        "status": "available" if available <= now else "pending", "type": kind,
    }  # fmt: skip
    if booking["status"] == "pending":
        world.set_timer("available", booking["id"], available)
    return world.insert(booking)


def become_available(world: World, key: str) -> None:
    world.change(world.get("balance_transaction", key), status="available")


def total(world: World, currency: str, status: str) -> int:
    rows = matching(
        world.all("balance_transaction"), {"currency": currency, "status": status}, "currency", "status"
    )
    return sum(row["net"] for row in rows)


def retrieve(world: World, params: Obj) -> Obj:
    currencies = sorted({row["currency"] for row in world.all("balance_transaction")}) or ["usd"]

    def amounts(status: str) -> list[dict[str, Any]]:
        sums = [(currency, total(world, currency, status)) for currency in currencies]
        return [
            {"amount": amount, "currency": currency, "source_types": {"card": amount}}
            for currency, amount in sums
        ]

    return {
        "object": "balance",
        "available": amounts("available"),
        "livemode": False,
        "pending": amounts("pending"),
    }


def listed(world: World, params: Obj) -> Obj:
    rows = matching(world.all("balance_transaction"), params, "currency", "source", "type")
    return page(rows, params, "/v1/balance_transactions")


def one(world: World, params: Obj, key: str) -> Obj:
    return world.get("balance_transaction", key)


TIMERS = {"available": become_available}

ROUTES = (
    get("/v1/balance", retrieve, sdk.BalanceRetrieveParams),
    get("/v1/balance_transactions/{id}", one, sdk.BalanceTransactionRetrieveParams),
    listing("/v1/balance_transactions", listed, sdk.BalanceTransactionListParams, "currency source type"),
)
