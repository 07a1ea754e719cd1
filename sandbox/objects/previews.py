"""What would the next invoice be? Computed by doing it, and forgetting that it was done."""

from stripe import params as sdk

from sandbox.errors import refused
from sandbox.expand import expanded
from sandbox.objects.fields import check_currency, need
from sandbox.objects.invoice_items import new_item
from sandbox.objects.invoicing import recompute
from sandbox.objects.products import price_of
from sandbox.objects.renewals import upcoming_invoice
from sandbox.objects.subscription_changes import change_items, plain
from sandbox.objects.subscription_ends import unused_time
from sandbox.objects.subscription_invoices import subscription_invoice
from sandbox.objects.subscription_items import CHANGES, leave_pending
from sandbox.objects.subscriptions import first_invoice, new_subscription, plan_end
from sandbox.periods import days
from sandbox.routes import parts, post
from sandbox.world import Obj, World, copied

ITEMS = parts(
    "invoice_items", "amount currency description discountable metadata period price price_data quantity"
)
COVERED = (
    f"customer currency discounts subscription {ITEMS} {parts('subscription_details', CHANGES)} "
    "subscription_details.proration_behavior subscription_details.proration_date "
    "subscription_details.trial_end "
    "subscription_details.billing_cycle_anchor subscription_details.billing_mode.type "
    "subscription_details.cancel_at "
    "subscription_details.cancel_at_period_end subscription_details.cancel_now subscription_details.metadata "
    "subscription_details.default_tax_rates preview_mode"
)


def create(world: World, params: Obj) -> Obj:
    with world.scratch():
        invoice = preview(world, params)
        recompute(world, invoice)
        named(invoice, params.get("subscription_details", {}))
        shown = copied(expanded(world, invoice, params.get("expand", [])))  # while what it names is there
        whole = copied(invoice)
    keep(world, whole)
    return shown


def named(invoice: Obj, details: Obj) -> None:
    """By an id of its own: it is no invoice yet."""
    invoice["id"] = "upcoming_" + invoice["id"]
    invoice["lines"]["url"] = f"/v1/invoices/{invoice['id']}/lines"
    for row in invoice["lines"]["data"]:
        row["invoice"] = invoice["id"]
    if invoice["parent"] and "proration_date" in details:
        invoice["parent"]["subscription_details"]["subscription_proration_date"] = details["proration_date"]


def keep(world: World, preview: Obj) -> None:
    """It can be looked up, and its lines page by page, for three days."""
    world.insert({"object": "_preview", "id": preview["id"], "shown": preview})
    world.set_timer("preview", preview["id"], world.now() + days(3))


def forget(world: World, key: str) -> None:
    world.remove(world.get("_preview", key))


def preview(world: World, params: Obj) -> Obj:
    details = dict(params.get("subscription_details", {}))
    if "subscription" in params:
        subscription = world.get("subscription", params["subscription"], "subscription")
        if subscription["status"] in ("canceled", "incomplete_expired"):
            raise refused("No upcoming invoices for a canceled subscription.", code="invoice_upcoming_none")
        extras(world, world.get("customer", subscription["customer"]), params)
        return changed(world, subscription, details, params)
    customer = world.get("customer", params.get("customer", ""), "customer")
    extras(world, customer, params)
    if "items" not in details:
        raise refused("No upcoming invoices for customer: " + customer["id"], code="invoice_upcoming_none")
    anchor = details.pop("billing_cycle_anchor", {}).get("timestamp")
    given = {**details, "customer": customer["id"], "discounts": params.get("discounts")}
    if anchor is not None:
        given["billing_cycle_anchor"] = anchor
    subscription = new_subscription(world, given)
    return first_invoice(world, subscription, given)


def changed(world: World, subscription: Obj, details: Obj, params: Obj) -> Obj:
    """A change that is invoiced at once shows that invoice, any other one the next renewal's."""
    now = world.now()
    if details.get("cancel_now"):
        how = details.get("proration_behavior", "create_prorations")
        lines = unused_time(world, subscription) if how != "none" else []
        return subscription_invoice(world, subscription, "upcoming", lines, period=(now, now))
    discounts = {"discounts": params["discounts"]} if "discounts" in params else {}
    plain(
        world, subscription, {**discounts, **{k: v for k, v in details.items() if k == "default_tax_rates"}}
    )
    lines, at_once = change_items(world, subscription, details)
    plan_end(world, subscription, details)
    if at_once:
        return subscription_invoice(world, subscription, "upcoming", lines, period=(now, now))
    leave_pending(world, subscription, lines, subscription["items"]["data"])
    invoice = upcoming_invoice(world, subscription)
    if not invoice["lines"]["data"]:
        raise refused("No upcoming invoices for this subscription.", code="invoice_upcoming_none")
    return invoice


def extras(world: World, customer: Obj, params: Obj) -> None:
    for entry in params.get("invoice_items", []):
        quantity = entry.get("quantity", 1)
        price = price_of(world, entry) if "price" in entry or "price_data" in entry else None
        amount = price["unit_amount"] * quantity if price else need(entry, "amount")
        currency = price["currency"] if price else check_currency(need(entry, "currency"))
        new_item(world, customer, amount, currency, entry, price=price, quantity=quantity)


TIMERS = {"preview": forget}

ROUTES = (post("/v1/invoices/create_preview", create, sdk.InvoiceCreatePreviewParams, COVERED),)
