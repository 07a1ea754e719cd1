"""Which tiers are there, what do they cost, and what do they allow?

Plans are data: the defaults stand in ``plans.toml`` beside this module, and an operator's file of the same
form changes single values. Reading files is the caller's work; these functions take text.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from app.domain.errors import InvalidInput
from app.domain.money import Money, currency_code
from app.domain.payments import COUNTED_OTHERWISE

MAX_VALUE = 2**63 - 1
"""What a 64-bit column holds."""
LONGEST_TRIAL = 730
"""Days; the payment provider takes no more."""
KEYS = {"name", "description", "monthly_price", "yearly_price", "trial_days", "limits"}


class Tier(StrEnum):
    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class Interval(StrEnum):
    """How often a plan is paid."""

    MONTH = "month"
    YEAR = "year"

    @property
    def months(self) -> int:
        return 12 if self is Interval.YEAR else 1


class Kind(StrEnum):
    COUNTER = "counter"
    """Adds up through a monthly period and begins again at 0."""
    GAUGE = "gauge"
    """What is held at the moment; it has no period."""


class Resource(StrEnum):
    API_CALL = "api_call"
    TEMPLATE_INSTALL = "template_install"
    CONCURRENT_INSTALLATION = "concurrent_installation"
    STORAGE_BYTES = "storage_bytes"

    @property
    def kind(self) -> Kind:
        gauges = (Resource.CONCURRENT_INSTALLATION, Resource.STORAGE_BYTES)
        return Kind.GAUGE if self in gauges else Kind.COUNTER


@dataclass(frozen=True)
class Plan:
    """``monthly_price`` None: agreed with the customer; ``yearly_price`` None: not to be had by the year.

    ``limits`` has every resource; None: unlimited. ``trial_days`` cost nothing, once for each account.
    """

    tier: Tier
    name: str
    description: str
    monthly_price: Money | None
    limits: Mapping[Resource, int | None]
    yearly_price: Money | None = None
    trial_days: int = 0

    def price(self, interval: Interval) -> Money | None:
        """What an ``interval`` costs, before taxes; None where nobody can subscribe to it by themselves."""
        price = self.yearly_price if interval is Interval.YEAR else self.monthly_price
        return price if price is not None and price.amount_cents > 0 else None


def load_plans(text: str) -> dict[Tier, Plan]:
    """All tiers from TOML; InvalidInput names the key that is unknown, missing or of the wrong kind."""
    tables = _parse(text)
    return {tier: _plan(tier, _table(tables, tier, path="")) for tier in Tier}


def merge_plans(defaults: Mapping[Tier, Plan], override_text: str) -> dict[Tier, Plan]:
    """The defaults with the values that the override names put in their place; the same checks."""
    tables = _parse(override_text)
    merged = dict(defaults)
    for tier in map(Tier, tables):
        merged[tier] = _plan(tier, _as_table(defaults[tier]) | _laid_over(defaults[tier], tables, tier))
    return merged


def _parse(text: str) -> dict[str, Any]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput("plans", f"The plans are not valid TOML: {error}.") from error
    _only(tables, set(Tier), path="", what="tier")
    return tables


def _plan(tier: Tier, table: Mapping[str, Any]) -> Plan:
    _only(table, KEYS, path=tier, what="key")
    limits = _table(table, "limits", path=tier)
    _only(limits, set(Resource), path=f"{tier}.limits", what="resource")
    plan = Plan(
        tier=tier,
        name=_words(table, "name", path=tier),
        description=_words(table, "description", path=tier),
        monthly_price=_price(table, "monthly_price", path=tier),
        limits=MappingProxyType({each: _limit(limits, each, path=f"{tier}.limits") for each in Resource}),
        yearly_price=_price(table, "yearly_price", path=tier) if "yearly_price" in table else None,
        trial_days=_count(table, "trial_days", path=tier) if "trial_days" in table else 0,
    )
    _check(plan)
    return plan


def _check(plan: Plan) -> None:
    """What the values must be to each other."""
    monthly, yearly = plan.monthly_price, plan.yearly_price
    if yearly is not None and (monthly is None or monthly.currency != yearly.currency):
        raise _refused(f"{plan.tier}.yearly_price", "needs a monthly price in the same currency")
    if plan.trial_days > LONGEST_TRIAL:
        raise _refused(f"{plan.tier}.trial_days", f"must be at most {LONGEST_TRIAL}")
    if plan.trial_days and not any(map(plan.price, Interval)):
        raise _refused(f"{plan.tier}.trial_days", "needs a price that would follow")


def _price(table: Mapping[str, Any], key: str, *, path: str) -> Money | None:
    if table.get(key) == "contact":
        return None
    price, path = _table(table, key, path=path), f"{path}.{key}"
    _only(price, {"amount_cents", "currency"}, path=path, what="key")
    currency = currency_code(_words(price, "currency", path=path), field=f"{path}.currency")
    if currency in COUNTED_OTHERWISE:
        raise _refused(f"{path}.currency", "is one in which nothing can be sold")
    return Money(_count(price, "amount_cents", path=path), currency)


def _limit(limits: Mapping[str, Any], resource: Resource, *, path: str) -> int | None:
    return None if limits.get(resource) == "unlimited" else _count(limits, resource, path=path)


def _count(table: Mapping[str, Any], key: str, *, path: str) -> int:
    value = _value(table, key, path=path)
    if type(value) is not int or not 0 <= value <= MAX_VALUE:
        raise _refused(f"{path}.{key}", f"must be a whole number from 0 to {MAX_VALUE}")
    return value


def _words(table: Mapping[str, Any], key: str, *, path: str) -> str:
    value = _value(table, key, path=path)
    if not isinstance(value, str) or not value.strip():
        raise _refused(f"{path}.{key}", "must be a text")
    return value


def _table(tables: Mapping[str, Any], key: str, *, path: str) -> Mapping[str, Any]:
    value = _value(tables, key, path=path)
    if not isinstance(value, dict):
        raise _refused(f"{path}.{key}".lstrip("."), "must be a table")
    return value


def _value(table: Mapping[str, Any], key: str, *, path: str) -> Any:
    if key not in table:
        raise _refused(f"{path}.{key}".lstrip("."), "is missing")
    return table[key]


def _only(table: Mapping[str, Any], known: set[Any], *, path: str, what: str) -> None:
    for key in table:
        if key not in known:
            allowed = ", ".join(sorted(known))
            raise _refused(f"{path}.{key}".lstrip("."), f"is no {what} of a plan; there are {allowed}")


def _refused(key: str, problem: str) -> InvalidInput:
    return InvalidInput(key, f"Plans: {key} {problem}.")


def _laid_over(plan: Plan, tables: Mapping[str, Any], tier: Tier) -> dict[str, Any]:
    """The override's values, with the tables inside completed from the plan."""
    changes, base = dict(_table(tables, tier, path="")), _as_table(plan)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            changes[key] = base[key] | value
    return changes


def _as_table(plan: Plan) -> dict[str, Any]:
    table: dict[str, Any] = {
        "name": plan.name,
        "description": plan.description,
        "monthly_price": _price_table(plan.monthly_price),
        "trial_days": plan.trial_days,
        "limits": {each: "unlimited" if limit is None else limit for each, limit in plan.limits.items()},
    }
    return table | ({"yearly_price": _price_table(plan.yearly_price)} if plan.yearly_price else {})


def _price_table(price: Money | None) -> dict[str, Any] | str:
    return {"amount_cents": price.amount_cents, "currency": price.currency} if price else "contact"
