"""Which amount is too small to be collected? It waits on the customer's balance, for the next invoice."""

from collections.abc import Mapping
from types import MappingProxyType

SMALLEST: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("AUD", "BRL", "CAD", "CHF", "EUR", "INR", "JPY", "NZD", "SGD", "USD"), 50),
        **dict.fromkeys(("AED", "MYR", "PLN", "RON"), 200),
        **dict.fromkeys(("NOK", "SEK"), 300),
        **dict.fromkeys(("MXN", "THB"), 1_000),
        "GBP": 30,
        "BGN": 100,
        "DKK": 250,
        "HKD": 400,
        "CZK": 1_500,
        "HUF": 17_500,
    }
)
"""Minor units. Stripe's, for an account that is paid out in the currency of the charge; for one that is paid
out in another the amount is converted, and may differ: docs.stripe.com/currencies."""


def collected(open_cents: int, currency: str) -> int:
    """What is collected of an invoice that leaves so much open, the customer's balance included."""
    return open_cents if open_cents >= SMALLEST.get(currency, 1) else 0
