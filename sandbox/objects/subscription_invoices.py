"""The invoices that a subscription makes: what goes on them besides its items."""

from sandbox.objects.invoice_items import new_item
from sandbox.objects.invoicing import draft
from sandbox.objects.products import price_of
from sandbox.world import Obj, World


def add_extras(world: World, customer: Obj, params: Obj) -> None:
    for entry in params.get("add_invoice_items", []):
        price = price_of(world, entry)
        quantity = entry.get("quantity", 1)
        amount = price["unit_amount"] * quantity
        new_item(world, customer, amount, price["currency"], entry, price=price, quantity=quantity)


def subscription_invoice(
    world: World,
    subscription: Obj,
    reason: str,
    lines: list[Obj],
    *,
    period: tuple[int, int],
    pending: bool = True,
) -> Obj:
    """A draft of the subscription; it becomes its latest invoice."""
    customer = world.get("customer", subscription["customer"])
    invoice = draft(
        world, customer, currency=subscription["currency"], reason=reason, lines=lines,
        subscription=subscription,
        pending=pending, period=period, collection_method=subscription["collection_method"],
        default_tax_rates=[dict(rate) for rate in subscription["default_tax_rates"]],
        discounts=list(subscription["discounts"]), _days_until_due=subscription.get("days_until_due"),
    )  # fmt: skip
    spend_discounts(world, subscription)
    world.change(subscription, latest_invoice=invoice["id"])
    world.emit("invoice.created", invoice)
    return invoice


def spend_discounts(world: World, subscription: Obj) -> None:
    """A discount that holds once is gone after one invoice, a repeating one when its months are over."""
    left = []
    for key in subscription["discounts"]:
        found = world.get("discount", key)
        over = found["end"] is not None and found["end"] <= world.now()
        if found["_coupon"]["duration"] != "once" and not over:
            left.append(key)
    if left != subscription["discounts"]:
        world.change(subscription, discounts=left)
