"""How do given parameters become fields of an object?"""

from typing import Any

from sandbox.currencies import IN_THOUSANDTHS, SUPPORTED, spelled
from sandbox.errors import ParameterError, refused
from sandbox.world import Obj, World

MINIMUM = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50,
    "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
"""docs.stripe.com/currencies#minimum-and-maximum-charge-amounts"""


def base(world: World, kind: str, prefix: str, params: Obj) -> Obj:
    """What nearly every object has."""
    return {
        "id": world.new_id(prefix), "object": kind, "created": world.now(), "livemode": False,
        "metadata": metadata({}, params),
    }  # fmt: skip


def metadata(before: Obj, params: Obj) -> Obj:
    """Given keys are added, an empty value removes its key, an empty string removes them all."""
    given = params.get("metadata", {})
    if given == "":
        return {}
    merged = {**before, **given}
    return {key: value for key, value in merged.items() if value != ""}


def taken(params: Obj, names: str) -> Obj:
    """The named parameters that were given; an empty string unsets."""
    return {name: None if params[name] == "" else params[name] for name in names.split() if name in params}


def update(world: World, obj: Obj, params: Obj, names: str) -> Obj:
    changes = taken(params, names)
    if "metadata" in params:
        changes["metadata"] = metadata(obj["metadata"], params)
    return world.change(obj, **changes)


def need(params: Obj, name: str) -> Any:
    if name not in params or params[name] == "":
        raise ParameterError(f"Missing required param: {name}.", param=name, code="parameter_missing")
    return params[name]


def live_customer(world: World, key: str) -> Obj:
    customer = world.get("customer", key, "customer")
    if customer.get("deleted"):
        raise refused(f"No such customer: '{key}'", code="resource_missing", param="customer")
    return customer


def check_amount(amount: int, currency: str, name: str = "amount") -> None:
    if amount < 1:
        raise refused(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param=name
        )
    if amount < MINIMUM.get(currency, 0):
        raise refused(
            f"Amount must be at least {spelled(MINIMUM[currency], currency)}",
            code="amount_too_small",
            param=name,
        )
    if amount > 99_999_999:
        raise refused("Amount must be no more than 999,999.99", code="amount_too_large", param=name)
    check_last_digit(amount, currency, name)


def check_last_digit(amount: int, currency: str, name: str = "amount") -> None:
    if currency in IN_THOUSANDTHS and amount % 10:
        message = f"Amounts in {currency} must be evenly divisible by 10."
        raise refused(message, code="parameter_invalid_integer", param=name)


def check_currency(currency: str) -> str:
    if currency.lower() not in SUPPORTED:
        raise refused(f"Invalid currency: {currency[:20]}", param="currency")
    return currency.lower()


def empty_list(url: str) -> Obj:
    return {"object": "list", "data": [], "has_more": False, "url": url}


def whole_list(data: list[Obj], url: str) -> Obj:
    return {"object": "list", "data": data, "has_more": False, "total_count": len(data), "url": url}
