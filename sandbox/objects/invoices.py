"""Invoices: made by hand, finalized, paid, voided, given up; their lines and payments."""

from stripe import params as sdk

from sandbox.errors import refused
from sandbox.objects.collecting import advance_later, collect, default_method, finalize_and_collect
from sandbox.objects.coupons import discounts_of
from sandbox.objects.fields import live_customer, need, update
from sandbox.objects.invoicing import (
    draft,
    finalize,
    forget_timers,
    give_up,
    mark_paid,
    recompute,
    subscription_id,
    void,
)
from sandbox.objects.payment_methods import usable
from sandbox.paging import cut, matching, page
from sandbox.periods import days
from sandbox.routes import delete, get, listing, post
from sandbox.world import Obj, World

PLAIN = "collection_method custom_fields default_payment_method description footer"
COVERED = f"{PLAIN} auto_advance days_until_due due_date default_tax_rates discounts metadata"


def create(world: World, params: Obj) -> Obj:
    customer = live_customer(world, need(params, "customer"))
    subscription = (
        world.get("subscription", params["subscription"], "subscription")
        if "subscription" in params
        else None
    )
    currency = params.get("currency") or customer["currency"] or "usd"
    invoice = draft(
        world, customer, currency=currency, reason="manual", lines=[], subscription=subscription,
        pending=params.get("pending_invoice_items_behavior", "exclude") == "include",
        auto_advance=params.get("auto_advance", False), metadata=params.get("metadata", {}),
    )  # fmt: skip
    apply(world, invoice, params)
    world.emit("invoice.created", invoice)
    if invoice["auto_advance"]:
        advance_later(world, invoice)
    return invoice


def apply(world: World, invoice: Obj, params: Obj) -> None:
    update(world, invoice, params, f"{PLAIN} auto_advance due_date")
    if "days_until_due" in params:
        world.change(
            invoice,
            _days_until_due=params["days_until_due"],
            due_date=world.now() + days(params["days_until_due"]),
        )
    by_mail = invoice["collection_method"] == "send_invoice"
    if by_mail and not invoice.get("due_date"):
        raise refused("A days_until_due or due_date is required with collection_method=send_invoice.")
    if not by_mail and ("days_until_due" in params or params.get("due_date")):
        raise refused("You can only set due_date or days_until_due when collection_method=send_invoice.")
    if "default_tax_rates" in params:
        rates = [world.get("tax_rate", key, "default_tax_rates") for key in params["default_tax_rates"] or []]
        world.change(invoice, default_tax_rates=[dict(rate) for rate in rates])
    if "discounts" in params:
        customer = world.get("customer", invoice["customer"])
        found = discounts_of(world, params["discounts"], customer, invoice=invoice["id"])
        world.change(invoice, discounts=found)
    recompute(world, invoice)


def change(world: World, params: Obj, key: str) -> Obj:
    invoice = world.get("invoice", key)
    if invoice["status"] != "draft" and set(params) - {
        "metadata",
        "auto_advance",
        "description",
        "default_payment_method",
    }:
        raise refused("Finalized invoices can't be updated in this way", code="invoice_not_editable")
    if invoice["status"] == "draft":
        apply(world, invoice, params)
    else:
        update(world, invoice, params, "auto_advance description default_payment_method")
    if invoice["status"] == "draft" and "auto_advance" in params:
        advance_later(world, invoice) if params["auto_advance"] else forget_timers(world, invoice)
    world.emit("invoice.updated", invoice)
    return invoice


def remove(world: World, params: Obj, key: str) -> Obj:
    invoice = world.get("invoice", key)
    if invoice["status"] != "draft":
        raise refused("You can only delete draft invoices.", code="invoice_not_editable")
    forget_timers(world, invoice)
    for entry in world.all("invoiceitem"):
        if entry["invoice"] == key:
            world.change(entry, invoice=None)
    world.remove(invoice)
    world.emit("invoice.deleted", invoice)
    return {"id": key, "object": "invoice", "deleted": True}


def finalize_now(world: World, params: Obj, key: str) -> Obj:
    invoice = world.get("invoice", key)
    if "auto_advance" in params:
        world.change(invoice, auto_advance=params["auto_advance"])
    finalize(world, invoice)
    if invoice["status"] == "open" and invoice["auto_advance"] and default_method(world, invoice):
        collect(world, invoice)
    return invoice


def pay(world: World, params: Obj, key: str) -> Obj:
    invoice = world.get("invoice", key)
    if invoice["status"] == "draft":
        finalize(world, invoice)
    if invoice["status"] == "paid":
        raise refused("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] == "void":
        raise refused("This invoice is void and can no longer be paid.", code="invoice_not_payable")
    if params.get("paid_out_of_band"):
        mark_paid(world, invoice, out_of_band=True)
        return invoice
    method = own_method(world, invoice, params["payment_method"]) if "payment_method" in params else None
    error = collect(world, invoice, method=method, off_session=params.get("off_session", True))
    if error:
        raise error
    return invoice


def own_method(world: World, invoice: Obj, key: str) -> Obj:
    """Only what its customer keeps pays an invoice."""
    method = usable(world, key)
    if method["customer"] != invoice["customer"]:
        raise refused(
            f"The customer does not have a payment method with the ID {key}. The payment method must be "
            "attached to the customer.", code="resource_missing", param="payment_method",
        )  # fmt: skip
    return method


def void_now(world: World, params: Obj, key: str) -> Obj:
    void(world, world.get("invoice", key))
    return world.get("invoice", key)


def mark_uncollectible(world: World, params: Obj, key: str) -> Obj:
    give_up(world, world.get("invoice", key))
    return world.get("invoice", key)


def send(world: World, params: Obj, key: str) -> Obj:
    invoice = world.get("invoice", key)
    if invoice["collection_method"] != "send_invoice":
        raise refused("You can only manually send an invoice if its collection method is 'send_invoice'.")
    if invoice["status"] == "draft":
        finalize_and_collect(world, invoice)
    world.emit("invoice.sent", invoice)
    return invoice


def listed(world: World, params: Obj) -> Obj:
    rows = matching(world.all("invoice"), params, "customer", "status", "collection_method")
    wanted = params.get("subscription")
    return page([row for row in rows if wanted in (None, subscription_id(row))], params, "/v1/invoices")


def retrieve(world: World, params: Obj, key: str) -> Obj:
    """One that was previewed, too."""
    preview = world.find("_preview", key)
    found: Obj = preview["shown"] if preview else world.get("invoice", key)
    return found


def lines(world: World, params: Obj, key: str) -> Obj:
    data = retrieve(world, params, key)["lines"]["data"]
    return cut(data, params, f"/v1/invoices/{key}/lines")


def payments(world: World, params: Obj) -> Obj:
    rows = matching(world.all("invoice_payment"), params, "invoice", "status")
    intent = params.get("payment", {}).get("payment_intent")
    rows = [row for row in rows if intent in (None, row["payment"].get("payment_intent"))]
    return page(rows, params, "/v1/invoice_payments")


def payment(world: World, params: Obj, key: str) -> Obj:
    return world.get("invoice_payment", key)


ROUTES = (
    post(
        "/v1/invoices",
        create,
        sdk.InvoiceCreateParams,
        f"{COVERED} currency customer pending_invoice_items_behavior subscription",
    ),
    get("/v1/invoices/{id}", retrieve, sdk.InvoiceRetrieveParams),
    post("/v1/invoices/{id}", change, sdk.InvoiceUpdateParams, COVERED),
    delete("/v1/invoices/{id}", remove, sdk.InvoiceDeleteParams),
    post("/v1/invoices/{id}/finalize", finalize_now, sdk.InvoiceFinalizeInvoiceParams, "auto_advance"),
    post("/v1/invoices/{id}/pay", pay, sdk.InvoicePayParams, "off_session paid_out_of_band payment_method"),
    post("/v1/invoices/{id}/void", void_now, sdk.InvoiceVoidInvoiceParams),
    post("/v1/invoices/{id}/mark_uncollectible", mark_uncollectible, sdk.InvoiceMarkUncollectibleParams),
    post("/v1/invoices/{id}/send", send, sdk.InvoiceSendInvoiceParams),
    get(
        "/v1/invoices/{id}/lines", lines, sdk.InvoiceLineItemListParams, "limit starting_after ending_before"
    ),
    listing("/v1/invoices", listed, sdk.InvoiceListParams, "customer status collection_method subscription"),
    get("/v1/invoice_payments/{id}", payment, sdk.InvoicePaymentRetrieveParams),
    listing("/v1/invoice_payments", payments, sdk.InvoicePaymentListParams, "invoice status payment"),
)
