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
        "payments": payments(world),
        "subscriptions": [subscription(row) for row in world.all("subscription")],
        "invoices": [mirrored(row) for row in world.all("invoice")],
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


def payments(world: World) -> list[Obj]:
    """What became of each payment intent: how the rows of the receiver's database are compared."""
    succeeded = [row for row in world.all("charge") if row["status"] == "succeeded"]
    count, refunded = (
        summed(succeeded, "payment_intent"),
        summed(succeeded, "payment_intent", "amount_refunded"),
    )
    disputes: dict[str, list[str]] = {}
    for row in world.all("dispute"):
        disputes.setdefault(row["payment_intent"], []).append(row["status"])
    names = ("status", "amount", "currency", "customer", "metadata", "amount_received")
    return [
        {
            "payment_intent": row["id"], **{name: row[name] for name in names}, "invoice": row["_invoice"],
            "amount_refunded": refunded.get(row["id"], 0), "disputes": disputes.get(row["id"], []),
            "succeeded_charges": count.get(row["id"], 0),
        }
        for row in world.all("payment_intent")
    ]  # fmt: skip


def subscription(row: Obj) -> Obj:
    items = row["items"]["data"]
    price = items[0]["price"]
    return {
        "subscription": row["id"], "customer": row["customer"], "status": row["status"],
        "metadata": row["metadata"],
        "prices": [item["price"]["id"] for item in items],
        "amount": price["unit_amount"], "currency": price["currency"], "lookup_key": price["lookup_key"],
        "interval": (price["recurring"] or {}).get("interval"),
        "current_period_start": items[0]["current_period_start"],
        "current_period_end": items[0]["current_period_end"],
        "cancel_at": row["cancel_at"], "cancel_at_period_end": row["cancel_at_period_end"],
    }  # fmt: skip


def mirrored(row: Obj) -> Obj:
    names = (
        "customer", "status", "number", "currency", "billing_reason", "attempt_count", "subtotal", "total",
        "amount_due", "amount_paid",
    )  # fmt: skip
    return {"invoice": row["id"], "subscription": subscription_id(row), **{name: row[name] for name in names}}


def problems(world: World) -> list[str]:
    found = []
    refunds = [row for row in world.all("refund") if row["status"] == "succeeded"]
    refunded = summed(refunds, "charge", "amount")
    for charge in world.all("charge"):
        given = refunded.get(charge["id"], 0)
        if given != charge["amount_refunded"] or given > charge["amount_captured"]:
            found.append(f"{charge['id']}: refunds {given}, amount_refunded {charge['amount_refunded']}")
    captured = [row for row in world.all("charge") if row["captured"]]
    taken, count = summed(captured, "payment_intent", "amount_captured"), summed(captured, "payment_intent")
    for intent in world.all("payment_intent"):
        charges = count.get(intent["id"], 0)
        if taken.get(intent["id"], 0) != intent["amount_received"] or charges > 1:
            found.append(f"{intent['id']}: {charges} charges for {intent['amount_received']} received")
    return found + invoice_problems(world)


def summed(rows: list[Obj], by: str, name: str | None = None) -> dict[str, int]:
    """The sum of a field, or the number of rows, for each value of another field."""
    sums: dict[str, int] = {}
    for row in rows:
        sums[row[by]] = sums.get(row[by], 0) + ((row[name] or 0) if name else 1)
    return sums


def invoice_problems(world: World) -> list[str]:
    found = []
    sums = summed(world.all("invoice_payment"), "invoice", "amount_paid")
    for invoice in world.all("invoice"):
        paid = sums.get(invoice["id"], 0)
        if paid + (invoice.get("amount_paid_off_stripe") or 0) != invoice["amount_paid"]:
            found.append(f"{invoice['id']}: payments {paid}, amount_paid {invoice['amount_paid']}")
        lines = sum(line["amount"] for line in invoice["lines"]["data"])
        if lines != invoice["subtotal"]:
            found.append(f"{invoice['id']}: lines {lines}, subtotal {invoice['subtotal']}")
        owner = subscription_id(invoice)
        if owner and not world.find("subscription", owner):
            found.append(f"{invoice['id']}: no subscription {owner}")
    return found
