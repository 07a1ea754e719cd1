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
        discounts=discounts_at(world, subscription, world.now()),
        _days_until_due=subscription.get("days_until_due"),
    )  # fmt: skip
    spend_discounts(world, subscription)
    world.change(subscription, latest_invoice=invoice["id"])
    world.emit("invoice.created", invoice)
    return invoice


def discounts_at(world: World, subscription: Obj, moment: int) -> list[str]:
    """What is taken off an invoice made then: the subscription's own discounts, or else its customer's."""
    inherited = None if subscription.get("_inherits_no_discount") else _of_customer(world, subscription)
    keys = subscription["discounts"] or ([inherited["id"]] if inherited else [])
    return [key for key in keys if not is_over(world.get("discount", key), moment)]


def _of_customer(world: World, subscription: Obj) -> Obj | None:
    found: Obj | None = world.get("customer", subscription["customer"]).get("discount")
    return found


def is_over(discount: Obj, moment: int) -> bool:
    return discount["end"] is not None and discount["end"] <= moment


def spend_discounts(world: World, subscription: Obj) -> None:
    """A discount that holds once is gone after one invoice, a repeating one when its months are over."""
    own, inherited = subscription["discounts"], _of_customer(world, subscription)
    left = [key for key in own if not _is_spent(world, world.get("discount", key))]
    if left != own:
        world.change(subscription, discounts=left)
    inherits = not own and not subscription.get("_inherits_no_discount")
    if inherits and inherited and _is_spent(world, inherited):
        world.change(world.get("customer", subscription["customer"]), discount=None)
        world.emit("customer.discount.deleted", inherited)


def _is_spent(world: World, discount: Obj) -> bool:
    return discount["_coupon"]["duration"] == "once" or is_over(discount, world.now())
