"""How is an id in an answer replaced by the object it names?"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.errors import ApiError, refused
from sandbox.rendering import render

if TYPE_CHECKING:
    from sandbox.world import World

PREFIXES = {
    "acct_": "account", "ch_": "charge", "cs_": "checkout.session", "cus_": "customer", "di_": "discount",
    "du_": "dispute", "in_": "invoice", "ii_": "invoiceitem", "inpay_": "invoice_payment",
    "pi_": "payment_intent",
    "pm_": "payment_method", "price_": "price", "prod_": "product", "promo_": "promotion_code",
    "re_": "refund",
    "seti_": "setup_intent", "sub_sched_": "subscription_schedule", "sub_": "subscription", "tr_": "transfer",
    "trr_": "transfer_reversal", "txn_": "balance_transaction", "txr_": "tax_rate",
}  # fmt: skip
Include = Callable[["World", dict[str, Any]], Any]
INCLUDES: dict[tuple[str, str], Include] = {}  # filled by the objects that have such fields


def expanded(world: "World", answer: dict[str, Any], paths: list[str]) -> Any:
    shown = render(answer)
    for path in sorted(paths, key=len):
        steps = path.split(".")
        if len(steps) > 4:
            raise refused(f"You cannot expand more than 4 levels of a property ({path}).", param="expand")
        walk(world, shown, steps, path)
    return shown


def walk(world: "World", holder: Any, steps: list[str], path: str) -> None:
    if not steps or holder is None:
        return
    if isinstance(holder, list):
        for item in holder:
            walk(world, item, steps, path)
        return
    if not isinstance(holder, dict):
        raise cannot_expand(path)
    name, rest = steps[0], steps[1:]
    include = INCLUDES.get((str(holder.get("object")), name))
    if include and name not in holder:
        holder[name] = render(include(world, holder))
    if name not in holder:
        raise cannot_expand(path)
    holder[name] = resolved(world, name, holder[name], path)
    walk(world, holder[name], rest, path)


def resolved(world: "World", name: str, value: Any, path: str) -> Any:
    if isinstance(value, list):
        return [resolved(world, name, item, path) for item in value]
    if isinstance(value, int | float):
        raise cannot_expand(path)
    if not isinstance(value, str):
        return value
    found = world.find(kind_of(name, value), value) or (redeemed(world, value) if name == "coupon" else None)
    if found is None:
        raise cannot_expand(path)
    return render(found)


def redeemed(world: "World", key: str) -> dict[str, Any] | None:
    """A coupon that was deleted, as the discounts that came of it keep it."""
    kept = (row["_coupon"] for row in world.all("discount") if row["source"]["coupon"] == key)
    return next(({**coupon, "valid": False} for coupon in kept), None)


def kind_of(name: str, key: str) -> str:
    if name == "coupon":  # the only ids that people choose
        return "coupon"
    return next((kind for prefix, kind in PREFIXES.items() if key.startswith(prefix)), "")


def cannot_expand(path: str) -> ApiError:
    message = f"This property cannot be expanded ({path})."
    return refused(message, param="expand")
