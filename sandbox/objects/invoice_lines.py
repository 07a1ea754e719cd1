"""What stands on an invoice's lines, and what do discounts and taxes make of them?"""

from typing import Any

from sandbox.currencies import spelled
from sandbox.periods import share
from sandbox.world import Obj, World


def subscription_line(
    world: World,
    subscription: Obj,
    item: Obj,
    period: tuple[int, int],
    *,
    amount: int | None = None,
    proration: bool = False,
    description: str | None = None,
    invoice_item: str | None = None,
) -> Obj:
    """The line of a subscription's item for a period; negative amounts are credits."""
    price = item["price"]
    if amount is None:
        amount = price["unit_amount"] * item["quantity"]
    parent = {
        "type": "subscription_item_details", "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": invoice_item, "proration": proration,
            "proration_details": {"credited_items": None},
            "subscription": subscription["id"], "subscription_item": item["id"],
        },
    }  # fmt: skip
    return line(
        world, amount, price["currency"], period, price=price, quantity=item["quantity"], parent=parent,
        description=description or describe(world, item), subscription=subscription["id"],
        discountable=not proration, metadata={**subscription["metadata"], **item["metadata"]},
    )  # fmt: skip


def item_line(world: World, entry: Obj) -> Obj:
    """The line that a pending invoice item becomes."""
    made = entry["parent"]
    if made:
        details = made["subscription_details"]
        parent = {
            "type": "subscription_item_details", "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": entry["id"], "proration": entry["proration"],
                "proration_details": {"credited_items": None}, **details,
            },
        }  # fmt: skip
    else:
        parent = {
            "type": "invoice_item_details", "subscription_item_details": None,
            "invoice_item_details": {
                "invoice_item": entry["id"], "proration": False, "proration_details": None,
                "subscription": None,
            },
        }  # fmt: skip
    details = (entry["pricing"] or {}).get("price_details")
    price = world.find("price", details["price"]) if details else None
    made_line = line(
        world, entry["amount"], entry["currency"], (entry["period"]["start"], entry["period"]["end"]),
        price=price, quantity=entry["quantity"], parent=parent, description=entry["description"],
        subscription=made["subscription_details"]["subscription"] if made else None,
        discountable=entry["discountable"], metadata=entry["metadata"],
    )  # fmt: skip
    return {**made_line, "pricing": entry["pricing"]}


def line(
    world: World,
    amount: int,
    currency: str,
    period: tuple[int, int],
    *,
    price: Obj | None,
    quantity: int,
    parent: Obj,
    description: str | None,
    subscription: str | None,
    discountable: bool,
    metadata: Obj,
) -> Obj:
    return {
        "id": world.new_id("il_"), "object": "line_item", "amount": amount, "currency": currency,
        "description": description, "discount_amounts": [], "discountable": discountable, "discounts": [],
        "invoice": None, "livemode": False, "metadata": dict(metadata), "parent": parent,
        "period": {"start": period[0], "end": period[1]}, "pretax_credit_amounts": [],
        "pricing": pricing(price), "quantity": quantity, "quantity_decimal": str(quantity),
        "subscription": subscription, "subtotal": amount, "taxes": [],
    }  # fmt: skip


def pricing(price: Obj | None) -> Obj | None:
    if price is None:
        return None
    return {
        "type": "price_details", "price_details": {"price": price["id"], "product": price["product"]},
        "unit_amount_decimal": price["unit_amount_decimal"],
    }  # fmt: skip


def describe(world: World, item: Obj) -> str:
    price = item["price"]
    amount = spelled(price["unit_amount"], price["currency"])
    interval = price["recurring"]["interval"]
    every = (
        interval
        if price["recurring"]["interval_count"] == 1
        else f"{price['recurring']['interval_count']} {interval}s"
    )
    return f"{item['quantity']} × {name_of(world, price)} (at {amount} / {every})"


def name_of(world: World, price: Obj) -> str:
    product = world.find("product", price["product"])
    return str(product["name"]) if product else str(price["product"])


def total_up(world: World, invoice: Obj) -> None:
    """Discounts, taxes and sums from the lines. Minor units; halves are rounded away from zero."""
    lines = invoice["lines"]["data"]
    for row in lines:
        row["discount_amounts"], row["taxes"], row["invoice"] = [], [], invoice["id"]
    for key in invoice["discounts"]:
        discount(lines, world.get("discount", key))
    for rate in invoice["default_tax_rates"]:
        for row in lines:
            row["taxes"].append(tax(row, rate))
    subtotal = sum(row["amount"] for row in lines)
    off = sum(discounted(row) for row in lines)
    added = sum(
        entry["amount"] for row in lines for entry in row["taxes"] if entry["tax_behavior"] == "exclusive"
    )
    inside = sum(
        entry["amount"] for row in lines for entry in row["taxes"] if entry["tax_behavior"] == "inclusive"
    )
    total = subtotal - off + added
    world.change(
        invoice, subtotal=subtotal, total=total, subtotal_excluding_tax=subtotal - inside,
        total_excluding_tax=total - added - inside,
        total_discount_amounts=summed(lines, "discount_amounts", "discount"),
        total_taxes=summed_taxes(lines), total_pretax_credit_amounts=[],
    )  # fmt: skip


def discounted(row: Obj) -> int:
    return sum(entry["amount"] for entry in row["discount_amounts"])


def discount(lines: list[Obj], applied: Obj) -> None:
    coupon = applied["_coupon"]
    products = coupon.get("_products")
    rows = [row for row in lines if row["discountable"] and row["amount"] > 0]
    rows = [row for row in rows if holds_for(coupon, row["currency"])]
    rows = [row for row in rows if not products or product_of(row) in products]
    left = [row["amount"] - discounted(row) for row in rows]
    for row, amount in zip(rows, parts(coupon, left), strict=True):
        row["discount_amounts"].append({"amount": amount, "discount": applied["id"]})


def holds_for(coupon: Obj, currency: str) -> bool:
    """An amount is taken off in its own currency alone."""
    return not coupon.get("amount_off") or coupon["currency"] == currency


def product_of(row: Obj) -> Any:
    details = (row["pricing"] or {}).get("price_details")
    return details["product"] if details else None


def parts(coupon: Obj, left: list[int]) -> list[int]:
    """A percentage of each line, or a fixed amount spread over the lines; the last one takes the odd unit."""
    if coupon.get("percent_off"):
        return [share(amount, round(coupon["percent_off"] * 100), 10_000) for amount in left]
    off, whole = min(coupon["amount_off"], sum(left)), sum(left)
    spread = [share(off, amount, whole) for amount in left]
    if spread:
        spread[-1] += off - sum(spread)
    return spread


def tax(row: Obj, rate: Obj) -> Obj:
    taxable, points = row["amount"] - discounted(row), round(rate["percentage"] * 10_000)
    whole = 1_000_000 + points if rate["inclusive"] else 1_000_000
    return {
        "amount": share(taxable, points, whole),
        "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]}, "taxability_reason": "standard_rated",
        "taxable_amount": taxable, "type": "tax_rate_details",
    }  # fmt: skip


def summed(lines: list[Obj], name: str, by: str) -> list[Obj]:
    totals: dict[str, int] = {}
    for row in lines:
        for entry in row[name]:
            totals[entry[by]] = totals.get(entry[by], 0) + entry["amount"]
    return [{"amount": amount, by: key} for key, amount in totals.items()]


def summed_taxes(lines: list[Obj]) -> list[Obj]:
    totals: dict[str, Obj] = {}
    for row in lines:
        for entry in row["taxes"]:
            total = totals.setdefault(
                entry["tax_rate_details"]["tax_rate"], {**entry, "amount": 0, "taxable_amount": 0}
            )
            total["amount"] += entry["amount"]
            total["taxable_amount"] += entry["taxable_amount"]
    return list(totals.values())
