"""Invoice items: amounts that wait for a customer's next invoice, or are put on a draft."""

from decimal import Decimal
from typing import Any

from stripe import params as sdk

from sandbox.errors import refused
from sandbox.objects.fields import base, check_currency, live_customer, need, taken, update
from sandbox.objects.invoice_lines import item_line, name_of, pricing
from sandbox.objects.invoicing import add_line, recompute
from sandbox.objects.products import inline_price
from sandbox.paging import page
from sandbox.routes import delete, listing, one, post
from sandbox.world import Obj, World

COVERED = (
    "amount currency customer description discountable invoice metadata period pricing "
    "price_data quantity subscription unit_amount_decimal"
)


def create(world: World, params: Obj) -> Obj:
    customer = live_customer(world, need(params, "customer"))
    price = priced(world, params)
    given = [price is not None, "amount" in params, "unit_amount_decimal" in params]
    if sum(given) != 1:
        raise refused(
            "Give one of amount, unit_amount_decimal (with currency), pricing[price], price_data.",
            param="amount",
        )
    quantity = params.get("quantity", 1)
    currency = price["currency"] if price else check_currency(need(params, "currency"))
    unit = price["unit_amount"] if price else whole(params.get("unit_amount_decimal"))
    amount = params["amount"] if "amount" in params else unit * quantity
    entry = new_item(world, customer, amount, currency, params, price=price, quantity=quantity)
    if "subscription" in params:
        owner = world.get("subscription", params["subscription"], "subscription")
        entry["parent"] = parent(owner["id"], None)
    if "invoice" in params:
        put_on(world, entry, world.get("invoice", params["invoice"], "invoice"))
    world.emit("invoiceitem.created", entry)
    return entry


def priced(world: World, params: Obj) -> Obj | None:
    if "price_data" in params:
        return inline_price(world, params["price_data"])
    key = params.get("pricing", {}).get("price")
    return world.get("price", key, "pricing[price]") if key else None


def new_item(
    world: World,
    customer: Obj,
    amount: int,
    currency: str,
    params: Obj,
    *,
    price: Obj | None,
    quantity: int = 1,
) -> Obj:
    now = world.now()
    entry = base(world, "invoiceitem", "ii_", params)
    del entry["created"]
    entry |= {
        "amount": amount, "currency": currency, "customer": customer["id"], "date": now,
        "description": name_of(world, price) if price else None, "discountable": amount > 0, "discounts": [],
        "invoice": None, "parent": None, "period": {"start": now, "end": now}, "pricing": pricing(price),
        "proration": False, "quantity": quantity, "quantity_decimal": str(quantity), "tax_rates": [],
        **taken(params, "description discountable period"),
    }  # fmt: skip
    if "unit_amount_decimal" in params:
        unit = str(whole(params["unit_amount_decimal"]))
        entry["pricing"] = {"type": "price_details", "price_details": None, "unit_amount_decimal": unit}
    return world.insert(entry)


def whole(given: Any) -> int:
    """Fractions of a minor unit are not covered."""
    amount = Decimal(str(given or 0))
    if amount != amount.to_integral_value():
        raise refused(
            "Fractions of a minor unit are not covered.",
            code="sandbox_not_covered",
            param="unit_amount_decimal",
        )
    return int(amount)


def parent(subscription: str, item: str | None) -> Obj:
    details = {"subscription": subscription, "subscription_item": item}
    return {"type": "subscription_details", "subscription_details": details}


def put_on(world: World, entry: Obj, invoice: Obj) -> None:
    if invoice["status"] != "draft":
        raise refused("This invoice is no longer editable", code="invoice_not_editable", param="invoice")
    if entry["customer"] != invoice["customer"]:
        raise refused("This invoice belongs to another customer.", param="invoice")
    if invoice["lines"]["data"] and entry["currency"] != invoice["currency"]:
        raise refused(f"The currency of this invoice is {invoice['currency']}.", param="currency")
    world.change(entry, invoice=invoice["id"])
    if not invoice["lines"]["data"]:
        world.change(invoice, currency=entry["currency"])
    add_line(world, invoice, item_line(world, entry))
    recompute(world, invoice)


def change(world: World, params: Obj, key: str) -> Obj:
    entry = world.get("invoiceitem", key)
    if entry["invoice"]:
        raise refused("The stand-in changes invoice items only while they wait.", code="invoice_not_editable")
    update(world, entry, params, "amount description discountable period")
    return entry


def remove(world: World, params: Obj, key: str) -> Obj:
    entry = world.get("invoiceitem", key)
    if entry["invoice"]:
        raise refused("Can't delete an invoice item that is on an invoice.", code="invoice_not_editable")
    world.remove(entry)
    world.emit("invoiceitem.deleted", entry)
    return {"id": key, "object": "invoiceitem", "deleted": True}


def listed(world: World, params: Obj) -> Obj:
    asked = {name: params[name] for name in ("customer", "invoice") if name in params}
    rows = [
        row for row in world.all("invoiceitem") if all(row[name] == value for name, value in asked.items())
    ]
    if "pending" in params:
        rows = [row for row in rows if (row["invoice"] is None) == params["pending"]]
    return page(rows, params, "/v1/invoiceitems")


ROUTES = (
    post("/v1/invoiceitems", create, sdk.InvoiceItemCreateParams, COVERED),
    one("/v1/invoiceitems/{id}", "invoiceitem", sdk.InvoiceItemRetrieveParams),
    post(
        "/v1/invoiceitems/{id}",
        change,
        sdk.InvoiceItemUpdateParams,
        "amount description discountable metadata period",
    ),
    delete("/v1/invoiceitems/{id}", remove, sdk.InvoiceItemDeleteParams),
    listing("/v1/invoiceitems", listed, sdk.InvoiceItemListParams, "customer invoice pending"),
)
