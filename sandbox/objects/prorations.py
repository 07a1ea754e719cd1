"""What is a part of a period worth: what is left of what was billed for it, and what the rest costs now?

Amounts are net of discounts, so that no discount is taken off them again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.objects.invoice_lines import discount, discounted, name_of, pricing, subscription_line
from sandbox.objects.invoicing import subscription_id
from sandbox.objects.subscription_invoices import discounts_at
from sandbox.objects.subscription_items import period, worth
from sandbox.periods import share, spelled, step
from sandbox.world import Obj, World


def prorations(
    world: World, subscription: Obj, old: list[Obj], new: list[Obj], at: int, *, anew: bool = False
) -> list[Obj]:
    """Lines for a change at `at`: what is left of the old is credited, of the new is charged, to the second.

    When the cycle begins anew every item is credited; the whole new periods are charged elsewhere.
    """
    start, end = period(subscription)
    if subscription["status"] == "trialing" or not start <= at < end:
        return []
    before, after = {item["id"]: item for item in old}, {item["id"]: item for item in new}
    gone = [item for key, item in before.items() if anew or key not in after or differs(item, after[key])]
    come = [item for key, item in after.items() if key not in before or differs(before[key], item)]
    given_back = [unused(world, subscription, item, at) for item in gone]
    return given_back if anew else given_back + remaining(world, subscription, new, come, at)


def differs(old: Obj, new: Obj) -> bool:
    return (old["price"]["id"], old["quantity"]) != (new["price"]["id"], new["quantity"])


@dataclass
class Billed:
    """What was asked for an item until the end of its period, and since when; by which line, if by one."""

    amount: int
    start: int
    line: Obj | None = None


def unused(world: World, subscription: Obj, item: Obj, at: int) -> Obj:
    """The credit for what is left of what was billed last."""
    _, end = period(subscription)
    whole = Billed(costs(world, subscription, [item])[item["id"]], natural_start(subscription))
    billed = max(debits(world, subscription, item), key=lambda debit: debit.start, default=whole)
    row = part(
        world, subscription, item, at, -share(billed.amount, min(end - at, end - billed.start),
        end - billed.start), "Unused",
    )  # fmt: skip
    if billed.line:
        by = {"invoice": billed.line["invoice"], "invoice_line_items": [billed.line["id"]]}
        row["parent"]["subscription_item_details"]["proration_details"] = {"credited_items": by}
    return row


def debits(world: World, subscription: Obj, item: Obj) -> Iterator[Billed]:
    """The latest last: of several that begin together the first one found counts."""
    _, end = period(subscription)
    for entry in reversed(world.all("invoiceitem")):
        waits = entry["invoice"] is None and entry["proration"] and entry["amount"] >= 0
        if waits and is_of(entry["parent"]["subscription_details"], item) and entry["period"]["end"] == end:
            yield Billed(entry["amount"], entry["period"]["start"])
    for invoice in reversed(world.all("invoice")):
        if subscription_id(invoice) != subscription["id"]:
            continue
        for row in reversed(invoice["lines"]["data"]):
            details = row["parent"].get("subscription_item_details") or {}
            if is_of(details, item) and row["amount"] >= 0 and row["period"]["end"] == end:
                yield Billed(row["amount"] - discounted(row), row["period"]["start"], row)


def is_of(details: Obj, item: Obj) -> bool:
    return bool(details.get("subscription_item") == item["id"])


def remaining(world: World, subscription: Obj, all_items: list[Obj], items: list[Obj], at: int) -> list[Obj]:
    """The charges for what is left of the period."""
    _, end = period(subscription)
    costing, whole = costs(world, subscription, all_items), end - natural_start(subscription)
    return [
        part(world, subscription, item, at, share(costing[item["id"]], end - at, whole), "Remaining")
        for item in items
    ]


def costs(world: World, subscription: Obj, items: list[Obj]) -> dict[str, int]:
    """A whole period of each item, less the discounts of now."""
    rows = [as_row(item) for item in items]
    for key in discounts_at(world, subscription, world.now()):
        discount(rows, world.get("discount", key))
    return {item["id"]: row["amount"] - discounted(row) for item, row in zip(items, rows, strict=True)}


def as_row(item: Obj) -> dict[str, Any]:
    price = item["price"]
    return {
        "amount": worth(item), "currency": price["currency"], "discountable": True,
        "discount_amounts": [], "pricing": pricing(price),
    }  # fmt: skip


def natural_start(subscription: Obj) -> int:
    """A first period that is cut short by an anchor after it would have begun earlier."""
    start, end = period(subscription)
    recurring = subscription["items"]["data"][0]["price"]["recurring"]
    if subscription["billing_cycle_anchor"] != end:
        return start
    return step(end, recurring["interval"], -recurring["interval_count"])


def part(world: World, subscription: Obj, item: Obj, at: int, amount: int, word: str) -> Obj:
    many = f"{item['quantity']} × " if item["quantity"] != 1 else ""
    return subscription_line(
        world, subscription, item, (at, period(subscription)[1]), amount=amount, proration=True,
        description=f"{word} time on {many}{name_of(world, item['price'])} after {spelled(at)}",
    )  # fmt: skip
