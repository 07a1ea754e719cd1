"""What is ours of a sale, from when is the author's share paid out, and how much does a refund take back?

The terms are data: the defaults stand in ``commission.toml`` beside this module, and an operator's file of
the same form puts other values in their place. Reading files is the caller's work; these functions take text.

Rounding: every amount is a whole number of minor units, and a fraction of one is the author's, both when a
sale is split and when a part of it goes back. All parts of a refund together take back exactly the share.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from app.domain.errors import InvalidInput
from app.domain.money import currency_code

WHOLE = 10_000
"""Basis points of everything."""
LONGEST_HOLD_DAYS = 365


@dataclass(frozen=True)
class Step:
    """The commission of an author who completed ``from_sales`` paid sales before, or more."""

    from_sales: int
    basis_points: int


@dataclass(frozen=True)
class Terms:
    """``steps`` begin at 0 sales and rise; ``minimum_payout`` is in minor units by currency."""

    steps: tuple[Step, ...]
    hold: timedelta
    minimum_payout: Mapping[str, int]


@dataclass(frozen=True)
class Split:
    """Both in minor units of the sale's currency; together they are its amount."""

    commission_cents: int
    author_share_cents: int


def split(terms: Terms, *, amount_cents: int, sales_before: int) -> Split:
    """Of a sale whose author completed ``sales_before`` others: the 500 first at the first step's rate."""
    rate = next(step.basis_points for step in reversed(terms.steps) if step.from_sales <= sales_before)
    commission = amount_cents * rate // WHOLE
    return Split(commission_cents=commission, author_share_cents=amount_cents - commission)


def share_taken(*, amount_cents: int, share_cents: int, taken_cents: int) -> int:
    """How much of the author's share is gone once ``taken_cents`` of the sale's amount went back in all."""
    return share_cents if taken_cents >= amount_cents else share_cents * taken_cents // amount_cents


def minimum_payout(terms: Terms, currency: str) -> int:
    """In minor units, at least 1."""
    return max(1, terms.minimum_payout.get(currency, 1))


def load_terms(text: str) -> Terms:
    """From TOML; InvalidInput names the key that is unknown, missing or of the wrong kind."""
    return _terms(_parse(text))


def merge_terms(defaults: str, override: str) -> Terms:
    """The keys of the override in place of the defaults', each as a whole; the same checks."""
    return _terms(_parse(defaults) | _parse(override))


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput("commission", f"The commission is not valid TOML: {error}.") from error


def _terms(table: Mapping[str, Any]) -> Terms:
    _exactly(table, {"hold_days", "commission", "minimum_payout"}, path="")
    return Terms(
        steps=_steps(table["commission"]),
        hold=timedelta(days=_count(table["hold_days"], "hold_days", LONGEST_HOLD_DAYS)),
        minimum_payout=_minimum_payout(table["minimum_payout"]),
    )


def _steps(tables: Any) -> tuple[Step, ...]:
    if not isinstance(tables, list) or not tables:
        raise _refused("commission", "must be a list of tables")
    steps = tuple(_step(table, path=f"commission[{n}]") for n, table in enumerate(tables))
    starts = [step.from_sales for step in steps]
    if starts[0] != 0 or starts != sorted(set(starts)):
        raise _refused("commission", "must begin from_sales 0 and rise from table to table")
    return steps


def _step(table: Any, *, path: str) -> Step:
    _exactly(table, {"from_sales", "basis_points"}, path=path)
    return Step(
        from_sales=_count(table["from_sales"], f"{path}.from_sales", 2**63 - 1),
        basis_points=_count(table["basis_points"], f"{path}.basis_points", WHOLE - 1),
    )


def _minimum_payout(table: Any) -> Mapping[str, int]:
    if not isinstance(table, dict):
        raise _refused("minimum_payout", "must be a table")
    return MappingProxyType(
        {
            currency_code(currency, field=f"minimum_payout.{currency}"): _count(
                amount, f"minimum_payout.{currency}", 2**63 - 1
            )
            for currency, amount in table.items()
        }
    )


def _exactly(table: Any, keys: set[str], *, path: str) -> None:
    if not isinstance(table, dict):
        raise _refused(path, "must be a table")
    for key in sorted(set(keys) ^ set(table)):
        name = f"{path}.{key}".lstrip(".")
        raise _refused(
            name, "is missing" if key in keys else f"is unknown; there are {', '.join(sorted(keys))}"
        )


def _count(value: Any, key: str, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise _refused(key, f"must be a whole number from 0 to {most}")
    return value


def _refused(key: str, problem: str) -> InvalidInput:
    return InvalidInput(key, f"Commission: {key} {problem}.")
