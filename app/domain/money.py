"""What is an amount of money, and how is it read, shared out and shown without losing a cent?

Amounts are integers in the currency's minor unit (ISO 4217: cents for USD, yen for JPY, fils for KWD). Floats
never come in: 573 of the 10,000 prices below $100 lose a cent under ``int(price * 100)``.
"""

import re
from copy import copy
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache

from babel import Locale
from babel.core import get_global
from babel.numbers import NumberPattern, get_currency_precision, list_currencies

from app.domain.errors import InvalidInput

KNOWN = frozenset(list_currencies())
"""Also currencies of the past: what the books hold stays readable when a country joins another currency."""

CURRENT = frozenset(
    code
    for uses in get_global("territory_currencies").values()
    for code, _, end, tender in uses
    if tender and not end
)

# CLDR, which babel carries, counts the decimals people write; ISO 4217, which banks follow, the decimals that
# exist. CLDR's 0 for these would be wrong by a factor of 100 or 1,000.
_TWO = ("AFN", "ALL", "IDR", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER")
_ISO_DIGITS = dict.fromkeys(_TWO, 2) | {"IQD": 3}

_DECIMAL = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]+))?")


@dataclass(frozen=True)
class Money:
    """``amount_cents`` in the minor unit of ``currency``; negative amounts are what is owed back.

    TypeError for anything but an int (a bool is none), ValueError for a code that ISO 4217 never knew.
    """

    amount_cents: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_cents) is not int:
            raise TypeError(f"Money counts minor units as int, not {type(self.amount_cents).__name__}.")
        if self.currency not in KNOWN:
            raise ValueError(f"{self.currency!r} is not an ISO 4217 currency code.")

    def __add__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.amount_cents + other.amount_cents, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.amount_cents - other.amount_cents, self.currency)

    def _same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added or subtracted.")


def currency_code(text: str, *, field: str = "currency") -> str:
    """A currency that is legal tender today, in upper case; InvalidInput for any other."""
    code = text.upper()
    if not text.isascii() or code not in CURRENT:
        raise InvalidInput(field, "Send a three-letter ISO 4217 currency code such as USD.")
    return code


def minor_units(currency: str) -> int:
    """How many decimals the currency has: 2 for USD, 0 for JPY, 3 for KWD."""
    if currency not in KNOWN:
        raise ValueError(f"{currency!r} is not an ISO 4217 currency code.")
    return _ISO_DIGITS.get(currency, get_currency_precision(currency))


def parse_decimal(text: str, currency: str, *, field: str = "price") -> Money:
    """'19.99' and 'USD' as exactly 1999 minor units; InvalidInput for other notations or more decimals."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise InvalidInput(field, "Write the amount with digits and one decimal point, such as 19.99.")
    code, (sign, whole, fraction) = currency_code(currency), match.groups(default="")
    digits = minor_units(code)
    if len(fraction) > digits:
        raise InvalidInput(field, f"{code} has {digits} decimals: this amount has {len(fraction)}.")
    return Money(int(sign + whole + fraction.ljust(digits, "0")), code)


@lru_cache(maxsize=4096)
def format_money(money: Money, locale: str = "en_US") -> str:
    """As people of the locale write it ('$19.99'), exact at any size."""
    digits = minor_units(money.currency)
    with localcontext() as context:
        context.prec = len(str(money.amount_cents)) + digits + 2
        value = Decimal(money.amount_cents).scaleb(-digits)
        text = _pattern(locale, digits).apply(value, locale, currency=money.currency, currency_digits=False)
    return str(text)


@lru_cache(maxsize=256)
def _pattern(locale: str, digits: int) -> NumberPattern:
    pattern: NumberPattern = copy(Locale.parse(locale).currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    return pattern
