"""What has moved, customer by customer, and does everything that was stored agree with everything else?"""

from typing import Any

from sandbox.objects.invoicing import subscription_id
from sandbox.world import Obj, World


def ledger(world: World) -> dict[str, Any]:
    """Sums in minor units per customer and currency, the totals, and the contradictions found."""
    rows: dict[tuple[str, str], Obj] = {}

    def row(customer: str | None, currency: str) -> Obj:
        key = (customer or "", currency)
        fresh = {
            "customer": customer, "currency": currency, "charged": 0, "charges": 0, "failed_charges": 0,
            "refunded": 0, "disputed": 0, "dispute_lost": 0, "invoices_paid": 0, "invoices_open": 0, "net": 0,
        }  # fmt: skip
        return rows.setdefault(key, fresh)

    for charge in world.all("charge"):
        add_charge(row(charge["customer"], charge["currency"]), charge)
    for dispute in world.all("dispute"):
        charge = world.get("charge", dispute["charge"])
        add_dispute(row(charge["customer"], dispute["currency"]), dispute)
    for invoice in world.all("invoice"):
        sums = row(invoice["customer"], invoice["currency"])
        sums["invoices_paid"] += invoice["amount_paid"]
        sums["invoices_open"] += invoice["amount_remaining"] if invoice["status"] == "open" else 0
    found = problems(world)
    return {
        "object": "sandbox.ledger", "customers": list(rows.values()), "totals": totals(list(rows.values())),
        "payments": [payment(world, intent) for intent in world.all("payment_intent")],
        "subscriptions": [subscription(row) for row in world.all("subscription")],
        "transfers": sum(row["amount"] - row["amount_reversed"] for row in world.all("transfer")),
        "problems": found, "consistent": not found,
    }  # fmt: skip


def add_charge(sums: Obj, charge: Obj) -> None:
    sums["charges"] += charge["status"] == "succeeded"
    sums["failed_charges"] += charge["status"] == "failed"
    sums["charged"] += charge["amount_captured"]
    sums["refunded"] += charge["amount_refunded"]
    sums["net"] += charge["amount_captured"] - charge["amount_refunded"]


def add_dispute(sums: Obj, dispute: Obj) -> None:
    if dispute["status"] in ("needs_response", "under_review"):
        sums["disputed"] += dispute["amount"]
    if dispute["status"] == "lost":
        sums["dispute_lost"] += dispute["amount"]
        sums["net"] -= dispute["amount"]


def totals(rows: list[Obj]) -> dict[str, Obj]:
    sums: dict[str, Obj] = {}
    for row in rows:
        total = sums.setdefault(row["currency"], {})
        for name, value in row.items():
            if isinstance(value, int):
                total[name] = total.get(name, 0) + value
    return sums


def payment(world: World, intent: Obj) -> Obj:
    """What became of a payment intent: how a row of the receiver's database is compared."""
    charge = world.find("charge", intent["latest_charge"])
    disputes = [row["status"] for row in world.all("dispute") if row["payment_intent"] == intent["id"]]
    return {
        "payment_intent": intent["id"], "status": intent["status"], "amount": intent["amount"],
        "currency": intent["currency"], "customer": intent["customer"], "metadata": intent["metadata"],
        "amount_received": intent["amount_received"], "invoice": intent["_invoice"],
        "amount_refunded": charge["amount_refunded"] if charge else 0, "disputes": disputes,
        "succeeded_charges": sum(
            row["payment_intent"] == intent["id"] and row["status"] == "succeeded"
            for row in world.all("charge")
        ),
    }  # fmt: skip


def subscription(row: Obj) -> Obj:
    items = row["items"]["data"]
    return {
        "subscription": row["id"], "customer": row["customer"], "status": row["status"],
        "metadata": row["metadata"],
        "prices": [item["price"]["id"] for item in items],
        "current_period_end": items[0]["current_period_end"],
        "cancel_at": row["cancel_at"], "cancel_at_period_end": row["cancel_at_period_end"],
    }  # fmt: skip


def problems(world: World) -> list[str]:
    found = []
    for charge in world.all("charge"):
        given = sum(
            row["amount"]
            for row in world.all("refund")
            if row["charge"] == charge["id"] and row["status"] == "succeeded"
        )
        if given != charge["amount_refunded"] or given > charge["amount_captured"]:
            found.append(f"{charge['id']}: refunds {given}, amount_refunded {charge['amount_refunded']}")
    for intent in world.all("payment_intent"):
        paid = [
            row for row in world.all("charge") if row["payment_intent"] == intent["id"] and row["captured"]
        ]
        if sum(row["amount_captured"] for row in paid) != intent["amount_received"] or len(paid) > 1:
            found.append(f"{intent['id']}: {len(paid)} charges for {intent['amount_received']} received")
    return found + invoice_problems(world)


def invoice_problems(world: World) -> list[str]:
    found = []
    for invoice in world.all("invoice"):
        paid = sum(
            row["amount_paid"] or 0 for row in world.all("invoice_payment") if row["invoice"] == invoice["id"]
        )
        if paid + (invoice.get("amount_paid_off_stripe") or 0) != invoice["amount_paid"]:
            found.append(f"{invoice['id']}: payments {paid}, amount_paid {invoice['amount_paid']}")
        lines = sum(line["amount"] for line in invoice["lines"]["data"])
        if lines != invoice["subtotal"]:
            found.append(f"{invoice['id']}: lines {lines}, subtotal {invoice['subtotal']}")
        owner = subscription_id(invoice)
        if owner and not world.find("subscription", owner):
            found.append(f"{invoice['id']}: no subscription {owner}")
    return found
