"""Customers: create, change, delete, list."""

from re import fullmatch

from stripe import params as sdk

from sandbox.errors import missing, refused
from sandbox.expand import INCLUDES
from sandbox.hooks import tell
from sandbox.objects.fields import base, empty_list, taken, update, whole_list
from sandbox.objects.payment_methods import attach
from sandbox.paging import matching, page
from sandbox.routes import delete, get, listing, post
from sandbox.world import Obj, World

PLAIN = "address balance description email name phone preferred_locales shipping"
SETTINGS = ("default_payment_method", "custom_fields", "footer", "rendering_options")
COVERED = f"{PLAIN} metadata payment_method invoice_prefix invoice_settings.default_payment_method"


def create(world: World, params: Obj) -> Obj:
    check_email(params)
    customer = base(world, "customer", "cus_", params)
    customer |= {
        "balance": 0, "currency": None, "delinquent": False, "default_source": None, "tax_exempt": "none",
        "invoice_prefix": params.get("invoice_prefix") or world.new_id("", 8).upper(),
        "next_invoice_sequence": 1, "preferred_locales": [], "shipping": None,
        "invoice_settings": dict.fromkeys(SETTINGS),
    }  # fmt: skip
    customer.update(taken(params, PLAIN))
    customer["id"] = customer["id"][:18]
    world.insert(customer)
    if "payment_method" in params:
        attach(world, params["payment_method"], customer)
    settings(world, customer, params)
    world.emit("customer.created", customer)
    return customer


def check_email(params: Obj) -> None:
    email = params.get("email")
    if email and not fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise refused(f"Invalid email address: {email[:80]}", code="email_invalid", param="email")


def settings(world: World, customer: Obj, params: Obj) -> None:
    given = taken(params.get("invoice_settings") or {}, "default_payment_method")
    method = given.get("default_payment_method")
    if method and method.startswith("pm_card_"):  # the name of a test card means the one just attached
        own = [row for row in world.all("payment_method") if row["customer"] == customer["id"]]
        method = next((row["id"] for row in reversed(own) if row["_name"] == method), method)
        given["default_payment_method"] = method
    if method:
        attached = world.get("payment_method", method, "invoice_settings[default_payment_method]")
        if attached["customer"] != customer["id"]:
            raise refused(
                "The customer does not have a payment method with the ID " + method,
                param="invoice_settings[default_payment_method]", code="resource_missing",
            )  # fmt: skip
    world.change(customer, invoice_settings={**customer["invoice_settings"], **given})


def retrieve(world: World, params: Obj, key: str) -> Obj:
    return world.get("customer", key)


def change(world: World, params: Obj, key: str) -> Obj:
    customer = alive(world, key)
    check_email(params)
    update(world, customer, params, PLAIN)
    settings(world, customer, params)
    world.emit("customer.updated", customer)
    return customer


def alive(world: World, key: str) -> Obj:
    customer = world.get("customer", key)
    if customer.get("deleted"):
        raise missing("customer", key, None)
    return customer


def remove(world: World, params: Obj, key: str) -> Obj:
    customer = alive(world, key)
    tell("customer.deleted", world, customer)
    world.emit("customer.deleted", customer)
    world.touch(customer)
    customer.clear()
    customer.update({"id": key, "object": "customer", "deleted": True})
    return customer


def listed(world: World, params: Obj) -> Obj:
    present = [customer for customer in world.all("customer") if not customer.get("deleted")]
    return page(matching(present, params, "email"), params, "/v1/customers")


def subscriptions(world: World, customer: Obj) -> Obj:
    found = [
        row for row in world.all("subscription")
        if row["customer"] == customer["id"] and row["status"] not in ("canceled", "incomplete_expired")
    ]  # fmt: skip
    return whole_list(found[::-1], f"/v1/customers/{customer['id']}/subscriptions")


INCLUDES["customer", "subscriptions"] = subscriptions
INCLUDES["customer", "sources"] = lambda _world, it: empty_list(f"/v1/customers/{it['id']}/sources")
INCLUDES["customer", "tax_ids"] = lambda _world, it: empty_list(f"/v1/customers/{it['id']}/tax_ids")
INCLUDES["customer", "tax"] = lambda _world, _it: {"automatic_tax": "not_collecting", "location": None}

ROUTES = (
    post("/v1/customers", create, sdk.CustomerCreateParams, COVERED),
    get("/v1/customers/{id}", retrieve, sdk.CustomerRetrieveParams),
    post("/v1/customers/{id}", change, sdk.CustomerUpdateParams, COVERED.replace(" payment_method ", " ")),
    delete("/v1/customers/{id}", remove, sdk.CustomerDeleteParams),
    listing("/v1/customers", listed, sdk.CustomerListParams, "email"),
)
