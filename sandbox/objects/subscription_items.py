"""Items of a subscription: what is sold, how many, and for which period."""

from collections.abc import Iterable

from stripe import params as sdk

from sandbox.errors import refused
from sandbox.objects.fields import empty_list, metadata
from sandbox.objects.invoice_items import new_item, parent
from sandbox.objects.products import price_of
from sandbox.paging import cut
from sandbox.routes import get, parts
from sandbox.world import Obj, World

COVERED = "items.price items.price_data items.quantity items.metadata"
CHANGES = f"{COVERED} items.id items.deleted items.clear_usage"
EXTRAS = parts("add_invoice_items", "discountable metadata period price price_data quantity")


def make_items(world: World, given: list[Obj], subscription_id: str) -> list[Obj]:
    if not given:
        raise refused("Missing required param: items.", code="parameter_missing", param="items")
    items = [make_item(world, entry, subscription_id) for entry in given]
    check_alike(items)
    return items


def make_item(world: World, entry: Obj, subscription_id: str) -> Obj:
    price = world.get("price", entry["price"]) if entry.get("agreed") else price_of(world, entry)
    check_recurring(price)
    return {
        "id": world.new_id("si_", 14), "object": "subscription_item", "created": world.now(),
        "current_period_end": 0, "current_period_start": 0, "discounts": [], "metadata": metadata({}, entry),
        "plan": plan(price), "price": dict(price), "quantity": entry.get("quantity", 1),
        "subscription": subscription_id, "tax_rates": [],
    }  # fmt: skip


def check_recurring(price: Obj) -> None:
    if price["recurring"] is None:
        raise refused(
            "The price specified is set to `type=one_time` but this field only accepts prices with "
            "`type=recurring`.",
            param="items[0][price]",
        )


def plan(price: Obj) -> Obj:
    """The older form of a price, which items still carry."""
    kept = (
        "active",
        "billing_scheme",
        "created",
        "currency",
        "id",
        "livemode",
        "metadata",
        "nickname",
        "product",
    )
    return {
        **{name: price.get(name) for name in kept}, "object": "plan", "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"], "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"], "usage_type": "licensed",
    }  # fmt: skip


def rhythm(price: Obj) -> tuple[str, int]:
    return price["recurring"]["interval"], price["recurring"]["interval_count"]


def check_alike(items: list[Obj]) -> None:
    if len({item["price"]["id"] for item in items}) < len(items):
        raise refused("Each price may appear once among the items.", param="items")
    if len({item["price"]["currency"] for item in items}) > 1:
        raise refused("The price specified supports another currency than the others.", param="items")
    if len({rhythm(item["price"]) for item in items}) > 1:
        raise refused(
            "The stand-in covers items of one billing interval.", code="sandbox_not_covered", param="items"
        )


def put_period(items: Iterable[Obj], start: int, end: int) -> None:
    for item in items:
        item["current_period_start"], item["current_period_end"] = start, end


def period(subscription: Obj) -> tuple[int, int]:
    first = subscription["items"]["data"][0]
    return first["current_period_start"], first["current_period_end"]


def changed_items(world: World, subscription: Obj, given: list[Obj]) -> list[Obj]:
    """The items as they shall be: named ones changed or removed, new ones added, all others kept."""
    kept = {item["id"]: dict(item) for item in subscription["items"]["data"]}
    added = []
    for entry in given:
        if "id" not in entry:
            added.append(make_item(world, entry, subscription["id"]))
            continue
        if entry["id"] not in kept:
            raise refused(
                f"No such subscription item: '{entry['id']}'", code="resource_missing", param="items[0][id]"
            )
        if entry.get("deleted"):
            del kept[entry["id"]]
            continue
        item = kept[entry["id"]]
        if "price" in entry or "price_data" in entry:
            fresh = make_item(world, {**entry, "quantity": entry.get("quantity", 1)}, subscription["id"])
            item.update(price=fresh["price"], plan=fresh["plan"])
        item["quantity"] = entry.get("quantity", item["quantity"])
        item["metadata"] = metadata(item["metadata"], entry)
    items = [*kept.values(), *added]
    if not items:
        raise refused("A subscription must have at least one active item.", param="items")
    check_alike(items)
    check_currency_of(items, subscription)
    return items


def check_currency_of(items: list[Obj], subscription: Obj) -> None:
    currency, expected = items[0]["price"]["currency"], subscription["currency"]
    if currency != expected:
        raise refused(
            f"The price specified only supports `{currency}`. This doesn't match the expected currency: "
            f"`{expected}`.",
            param="items[0][price]",
        )


def worth(item: Obj) -> int:
    return int(item["price"]["unit_amount"] * item["quantity"])


def leave_pending(world: World, subscription: Obj, lines: list[Obj], items: list[Obj]) -> None:
    """Prorations that wait for the next invoice."""
    customer = world.get("customer", subscription["customer"])
    prices = {item["id"]: item["price"] for item in items}
    for row in lines:
        item = row["parent"]["subscription_item_details"]["subscription_item"]
        details = row["pricing"]["price_details"]
        price = world.find("price", details["price"]) or prices.get(item)
        given = {"description": row["description"], "period": row["period"], "discountable": False}
        entry = new_item(
            world, customer, row["amount"], row["currency"], given, price=price, quantity=row["quantity"]
        )
        entry.update(proration=True, parent=parent(subscription["id"], item))
        world.emit("invoiceitem.created", entry)


def retrieve(world: World, params: Obj, key: str) -> Obj:
    for subscription in world.all("subscription"):
        for item in subscription["items"]["data"]:
            if item["id"] == key:
                found: Obj = item
                return found
    return world.get("subscription_item", key)


def listed(world: World, params: Obj) -> Obj:
    subscription = world.get("subscription", params["subscription"], "subscription")
    return cut(subscription["items"]["data"], params, "/v1/subscription_items")


def item_list(subscription_id: str, items: list[Obj]) -> Obj:
    url = f"/v1/subscription_items?subscription={subscription_id}"
    return {**empty_list(url), "data": items, "total_count": len(items)}


ROUTES = (
    get("/v1/subscription_items/{id}", retrieve, sdk.SubscriptionItemRetrieveParams),
    get(
        "/v1/subscription_items",
        listed,
        sdk.SubscriptionItemListParams,
        "subscription limit starting_after ending_before",
    ),
)
