"""Coupons, promotion codes, and the discounts that come of them."""

from typing import Any

from stripe import params as sdk

from sandbox.errors import refused
from sandbox.expand import INCLUDES
from sandbox.objects.fields import base, check_currency, live_customer, taken, update
from sandbox.objects.invoice_lines import holds_for
from sandbox.paging import matching, page
from sandbox.periods import step
from sandbox.routes import delete, listing, one, post
from sandbox.world import Obj, World

COUPON = "amount_off currency duration duration_in_months max_redemptions name percent_off redeem_by"


def create_coupon(world: World, params: Obj) -> Obj:
    if ("percent_off" in params) == ("amount_off" in params):
        raise refused("You must pass either percent_off or amount_off, not both.", param="percent_off")
    if "amount_off" in params and "currency" not in params:
        raise refused("You must pass currency when passing amount_off", param="currency")
    if not 0 < params.get("percent_off", 1) <= 100:
        raise refused("percent_off must be greater than 0 and at most 100.", param="percent_off")
    if (params.get("duration") == "repeating") != ("duration_in_months" in params):
        raise refused("duration_in_months goes with a repeating duration.", param="duration_in_months")
    coupon = base(world, "coupon", "", params)
    coupon["id"] = params.get("id") or world.new_id("", 8)
    if world.find("coupon", coupon["id"]):
        raise refused("Coupon already exists.", code="resource_already_exists", param="id")
    coupon |= {"duration": "once", "times_redeemed": 0, "valid": True, **taken(params, COUPON)}
    if "currency" in params:
        coupon["currency"] = check_currency(params["currency"])
    if "percent_off" in coupon:
        coupon["percent_off"] = float(coupon["percent_off"])
    coupon["_products"] = params.get("applies_to", {}).get("products")
    world.insert(coupon)
    world.emit("coupon.created", coupon)
    return coupon


def change_coupon(world: World, params: Obj, key: str) -> Obj:
    coupon = update(world, world.get("coupon", key), params, "name")
    world.emit("coupon.updated", coupon)
    return coupon


def delete_coupon(world: World, params: Obj, key: str) -> Obj:
    coupon = world.get("coupon", key)
    world.change(coupon, valid=False)
    world.remove(coupon)
    world.emit("coupon.deleted", coupon)
    return {"id": key, "object": "coupon", "deleted": True}


def create_code(world: World, params: Obj) -> Obj:
    coupon = world.get("coupon", params["promotion"].get("coupon", ""), "promotion[coupon]")
    if "customer" in params:
        live_customer(world, params["customer"])
    code = base(world, "promotion_code", "promo_", params)
    restrictions = params.get("restrictions", {})
    code |= {
        "active": params.get("active", True), "code": params.get("code") or world.new_id("", 8).upper(),
        "customer": params.get("customer"), "expires_at": params.get("expires_at"),
        "max_redemptions": params.get("max_redemptions"), "times_redeemed": 0,
        "promotion": {"type": "coupon", "coupon": coupon["id"]},
        "restrictions": {
            "first_time_transaction": restrictions.get("first_time_transaction", False),
            "minimum_amount": restrictions.get("minimum_amount"),
            "minimum_amount_currency": restrictions.get("minimum_amount_currency"),
        },
    }  # fmt: skip
    if any(
        other["active"] and other["code"].lower() == code["code"].lower()
        for other in world.all("promotion_code")
    ):
        raise refused("An active promotion code with this code already exists.", param="code")
    world.insert(code)
    world.emit("promotion_code.created", code)
    return code


def change_code(world: World, params: Obj, key: str) -> Obj:
    code = update(world, world.get("promotion_code", key), params, "active")
    world.emit("promotion_code.updated", code)
    return code


def list_codes(world: World, params: Obj) -> Obj:
    rows = matching(world.all("promotion_code"), params, "active", "customer")
    rows = [row for row in rows if params.get("coupon") in (None, row["promotion"]["coupon"])]
    wanted = params.get("code", "").lower()
    return page([row for row in rows if wanted in ("", row["code"].lower())], params, "/v1/promotion_codes")


def discounts_of(world: World, given: Any, customer: Obj | None, **owner: str) -> list[str]:
    """Discounts from `discounts=[{coupon} | {promotion_code}]`; redeemed, with their end when they repeat."""
    made = [redeem(world, entry, customer, owner) for entry in given or []]
    return [discount["id"] for discount in made]


def redeem(world: World, entry: Obj, customer: Obj | None, owner: dict[str, str]) -> Obj:
    if "discount" in entry:
        return existing(world, entry["discount"], customer)
    code = promotion(world, entry["promotion_code"], customer) if "promotion_code" in entry else None
    coupon_id = code["promotion"]["coupon"] if code else entry.get("coupon", "")
    coupon = world.get("coupon", coupon_id, "discounts[0][coupon]")
    if not usable(coupon, world.now()):
        raise refused("This coupon has expired or was used up.", code="coupon_expired", param="discounts")
    discounted = world.find("subscription", owner.get("subscription")) or world.find(
        "invoice", owner.get("invoice")
    )
    if discounted:
        check_currency_of(coupon, discounted["currency"])
    for counted in filter(None, [coupon, code]):
        world.change(counted, times_redeemed=counted["times_redeemed"] + 1)
    months = coupon["duration_in_months"] if coupon["duration"] == "repeating" else None
    discount = {
        "id": world.new_id("di_"), "object": "discount", "checkout_session": None,
        "customer": customer["id"] if customer else None, "promotion_code": code["id"] if code else None,
        "source": {"type": "coupon", "coupon": coupon["id"]}, "start": world.now(),
        "end": step(world.now(), "month", months) if months else None, **owner, "_coupon": dict(coupon),
    }  # fmt: skip
    world.insert(discount)
    if "subscription" in owner:
        world.emit("customer.discount.created", discount)
    return discount


def check_currency_of(coupon: Obj, currency: str) -> None:
    if not holds_for(coupon, currency):
        raise refused(
            f"The currency of this coupon is {coupon['currency']}, not {currency}.", param="discounts"
        )


def existing(world: World, key: str, customer: Obj | None) -> Obj:
    found = world.get("discount", key, "discounts")
    if customer is not None and found["customer"] != customer["id"]:
        raise refused("This discount is not on the object or one of its ancestors.", param="discounts")
    return found


def usable(counted: Obj, now: int) -> bool:
    limit, until = counted.get("max_redemptions"), counted.get("redeem_by") or counted.get("expires_at")
    return (limit is None or counted["times_redeemed"] < limit) and (until is None or now <= until)


def promotion(world: World, key: str, customer: Obj | None) -> Obj:
    code = world.get("promotion_code", key, "discounts[0][promotion_code]")
    if not code["active"] or not usable(code, world.now()):
        raise refused("This promotion code is not active.", code="promotion_code_expired", param="discounts")
    if code["customer"] and (customer is None or code["customer"] != customer["id"]):
        raise refused("This promotion code belongs to another customer.", param="discounts")
    return code


INCLUDES["coupon", "applies_to"] = lambda world, it: {"products": world.get("coupon", it["id"])["_products"]}

ROUTES = (
    post("/v1/coupons", create_coupon, sdk.CouponCreateParams, f"{COUPON} id metadata applies_to"),
    one("/v1/coupons/{id}", "coupon", sdk.CouponRetrieveParams),
    post("/v1/coupons/{id}", change_coupon, sdk.CouponUpdateParams, "name metadata"),
    delete("/v1/coupons/{id}", delete_coupon, sdk.CouponDeleteParams),
    listing(
        "/v1/coupons",
        lambda world, params: page(world.all("coupon"), params, "/v1/coupons"),
        sdk.CouponListParams,
    ),
    post(
        "/v1/promotion_codes",
        create_code,
        sdk.PromotionCodeCreateParams,
        "active code customer expires_at max_redemptions metadata promotion "
        "restrictions.first_time_transaction restrictions.minimum_amount "
        "restrictions.minimum_amount_currency",
    ),
    one("/v1/promotion_codes/{id}", "promotion_code", sdk.PromotionCodeRetrieveParams),
    post("/v1/promotion_codes/{id}", change_code, sdk.PromotionCodeUpdateParams, "active metadata"),
    listing("/v1/promotion_codes", list_codes, sdk.PromotionCodeListParams, "active code coupon customer"),
)
