"""How large may a parameter be, which the SDK's types do not say?"""

from decimal import Decimal
from typing import Any

from sandbox.errors import ParameterError
from sandbox.periods import LATEST

CHARGED = 99_999_999
NUMBERS = {
    "amount_off": (1, CHARGED), "days_until_due": (0, 3650), "duration_in_months": (1, 1200),
    "percentage": (0, 100), "quantity": (0, 999_999), "trial_period_days": (1, 730),
    "unit_amount": (0, CHARGED), "unit_amount_decimal": (-CHARGED, CHARGED),
}  # fmt: skip
"""By name, the least and the most."""
DECIMALS = 12
KEYS, KEY, VALUE = 50, 40, 500


def whole(number: int) -> bool:
    return -LATEST <= number <= LATEST


def fraction(number: Decimal) -> bool:
    """Told without writing the number out: `1e999999` is ten letters and a million digits."""
    _, _, exponent = number.as_tuple()
    return isinstance(exponent, int) and exponent >= -DECIMALS and number.adjusted() <= DECIMALS


def check_number(number: Any, name: str, path: str) -> None:
    if isinstance(number, int | Decimal) and name in NUMBERS:
        least, most = NUMBERS[name]
        if not least <= number <= most:
            message = f"Invalid number: {path} is from {least} to {most}"
            raise ParameterError(message, param=path, code="parameter_invalid_integer")


def check_metadata(given: dict[str, Any], path: str) -> None:
    if len(given) > KEYS:
        raise ParameterError(f"You can have up to {KEYS} metadata keys.", param=path)
    for key, value in given.items():
        if len(key) > KEY:
            message = f"Metadata keys can be up to {KEY} characters long. Invalid key: {key[:80]}"
            raise ParameterError(message, param=path)
        if len(value) > VALUE:
            message = f"Metadata values can have up to {VALUE} characters, {key} has {len(value)}."
            raise ParameterError(message, param=path)
