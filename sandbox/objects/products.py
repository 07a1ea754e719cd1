"""Products and their prices."""

from typing import Any

from stripe import params as sdk

from sandbox.errors import refused
from sandbox.objects.fields import base, check_currency, taken, update
from sandbox.paging import matching, page
from sandbox.routes import delete, listing, one, parts, post
from sandbox.world import Obj, World

PRODUCT = (
    "active description name images marketing_features shippable statement_descriptor tax_code unit_label url"
)
PRICE = "active lookup_key nickname tax_behavior"
DEFAULT_PRICE = parts(
    "default_price_data", "currency metadata recurring tax_behavior unit_amount unit_amount_decimal"
)
PRODUCT_DATA = parts("product_data", "active id metadata name statement_descriptor tax_code unit_label")
RECURRING = ("recurring.interval", "recurring.interval_count", "recurring.usage_type")
LIMITS = {"day": 1095, "week": 156, "month": 36, "year": 3}


def create_product(world: World, params: Obj) -> Obj:
    product = base(world, "product", "prod_", params)
    product["id"] = params.get("id") or product["id"][:19]
    if world.find("product", product["id"]):
        raise refused("Product already exists.", code="resource_already_exists", param="id")
    product |= {
        "active": True, "default_price": None, "images": [], "marketing_features": [], "type": "service",
        "updated": world.now(), "url": None,
    }  # fmt: skip
    product.update(described(params))
    world.insert(product)
    if "default_price_data" in params:
        data = {**params["default_price_data"], "product": product["id"]}
        product["default_price"] = create_price(world, data)["id"]
    world.emit("product.created", product)
    return product


def described(params: Obj) -> Obj:
    """Lists that are unset are empty."""
    given = taken(params, PRODUCT)
    lists = [name for name in ("images", "marketing_features") if name in given]
    return {**given, **{name: given[name] or [] for name in lists}}


def change_product(world: World, params: Obj, key: str) -> Obj:
    product = world.get("product", key)
    if "default_price" in params:
        world.get("price", params["default_price"], "default_price")
    update(world, product, params, "default_price")
    world.change(product, updated=world.now(), **described(params))
    world.emit("product.updated", product)
    return product


def delete_product(world: World, params: Obj, key: str) -> Obj:
    product = world.get("product", key)
    if any(price["product"] == key for price in world.all("price")):
        raise refused("This product cannot be deleted because it has one or more user-created prices.")
    world.remove(product)
    world.emit("product.deleted", product)
    return {"id": key, "object": "product", "deleted": True}


def list_products(world: World, params: Obj) -> Obj:
    rows = matching(world.all("product"), params, "active", "url")
    return page([row for row in rows if row["id"] in params.get("ids", [row["id"]])], params, "/v1/products")


def create_price(world: World, params: Obj, *, active: bool = True) -> Obj:
    price = base(world, "price", "price_", params)
    recurring = params.get("recurring")
    price |= {
        "active": active, "billing_scheme": "per_unit", "currency": check_currency(params["currency"]),
        "product": product_of(world, params), "recurring": recurrence(recurring) if recurring else None,
        "tax_behavior": "unspecified", "type": "recurring" if recurring else "one_time",
        "unit_amount": unit_amount(params),
    }  # fmt: skip
    price["unit_amount_decimal"] = str(price["unit_amount"])
    price.update(taken(params, PRICE))
    lookup_key(world, price, params)
    world.insert(price)
    world.emit("price.created", price)
    return price


def unit_amount(params: Obj) -> int:
    amount = params.get("unit_amount")
    if amount is None and "unit_amount_decimal" in params:
        exact = params["unit_amount_decimal"]
        if exact != int(exact):
            raise refused("The stand-in covers whole minor units only.", param="unit_amount_decimal")
        amount = int(exact)
    if amount is None:
        raise refused("You must specify `unit_amount`.", code="parameter_missing", param="unit_amount")
    if amount < 0:
        message = "Invalid non-negative integer"
        raise refused(message, code="parameter_invalid_integer", param="unit_amount_decimal")
    return int(amount)


def product_of(world: World, params: Obj) -> Any:
    if "product" in params:
        return world.get("product", params["product"], "product")["id"]
    data = params.get("product_data")
    if data is None:
        raise refused(
            "You must provide `product` or `product_data`.", code="parameter_missing", param="product"
        )
    return create_product(world, data)["id"]


def recurrence(given: Obj) -> Obj:
    count = given.get("interval_count", 1)
    if not 1 <= count <= LIMITS[given["interval"]]:
        raise refused("Invalid interval_count: at most three years", param="recurring[interval_count]")
    if given.get("usage_type") == "metered":
        raise refused("The stand-in does not cover metered prices.", param="recurring[usage_type]")
    return {
        "interval": given["interval"], "interval_count": count, "meter": None, "trial_period_days": None,
        "usage_type": "licensed",
    }  # fmt: skip


def lookup_key(world: World, price: Obj, params: Obj) -> None:
    key = params.get("lookup_key")
    for other in world.all("price") if key else []:
        if other["lookup_key"] == key and other is not price:
            if not params.get("transfer_lookup_key"):
                raise refused(f"A price (`{other['id']}`) already uses that lookup key.", param="lookup_key")
            world.change(other, lookup_key=None)
    price.setdefault("lookup_key", None)


def change_price(world: World, params: Obj, key: str) -> Obj:
    price = world.get("price", key)
    lookup_key(world, price, params)
    update(world, price, params, PRICE)
    world.emit("price.updated", price)
    return price


def list_prices(world: World, params: Obj) -> Obj:
    rows = matching(world.all("price"), params, "active", "currency", "product", "type")
    keys = params.get("lookup_keys")
    wanted = params.get("recurring", {}).get("interval")
    rows = [row for row in rows if keys is None or row["lookup_key"] in keys]
    rows = [row for row in rows if wanted is None or (row["recurring"] or {}).get("interval") == wanted]
    return page(rows, params, "/v1/prices")


def inline_price(world: World, data: Obj) -> Obj:
    """A price that is given where it is used: it exists, but is not offered."""
    return create_price(world, data, active=False)


def price_of(world: World, given: Obj) -> Obj:
    """The price of something sold: by id, or given in place."""
    if "price_data" in given:
        return inline_price(world, given["price_data"])
    if "price" not in given:
        raise refused("Missing required param: price.", code="parameter_missing", param="price")
    price = world.get("price", given["price"], "price")
    if not price["active"]:
        raise refused(f"The price specified is inactive: {price['id']}.", param="price")
    return price


ROUTES = (
    post("/v1/products", create_product, sdk.ProductCreateParams, f"{PRODUCT} id metadata {DEFAULT_PRICE}"),
    one("/v1/products/{id}", "product", sdk.ProductRetrieveParams),
    post("/v1/products/{id}", change_product, sdk.ProductUpdateParams, f"{PRODUCT} metadata default_price"),
    delete("/v1/products/{id}", delete_product, sdk.ProductDeleteParams),
    listing("/v1/products", list_products, sdk.ProductListParams, "active url ids"),
    post(
        "/v1/prices",
        create_price,
        sdk.PriceCreateParams,
        " ".join(
            [PRICE, f"currency metadata product {PRODUCT_DATA} unit_amount transfer_lookup_key", *RECURRING]
        ),
    ),
    one("/v1/prices/{id}", "price", sdk.PriceRetrieveParams),
    post("/v1/prices/{id}", change_price, sdk.PriceUpdateParams, f"{PRICE} metadata transfer_lookup_key"),
    listing(
        "/v1/prices",
        list_prices,
        sdk.PriceListParams,
        "active currency product type lookup_keys recurring.interval",
    ),
)
