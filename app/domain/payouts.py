"""How much may be paid out, when is an open payout looked at, and does a transfer fit its payout?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from app.domain.commission import Terms, minimum_payout
from app.domain.errors import InsufficientBalance, InvalidInput

FIRST_CHECK = timedelta(minutes=2)
"""Until then whoever asked for the payout is at it."""
CHECK_PAUSE = timedelta(minutes=5)
REFERENCE_LIMIT = 255


@dataclass(frozen=True)
class Asked:
    """``amount_cents`` None: everything that is available."""

    currency: str
    amount_cents: int | None


def amount_of(asked: Asked, *, available_cents: int, terms: Terms) -> int:
    """Minor units, never more than is available. Raises InvalidInput, InsufficientBalance."""
    minimum = minimum_payout(terms, asked.currency)
    if asked.amount_cents is not None and asked.amount_cents < minimum:
        raise InvalidInput(
            "amountCents", f"A payout moves at least {minimum} of {asked.currency}'s minor units."
        )
    amount = available_cents if asked.amount_cents is None else asked.amount_cents
    if amount > available_cents or amount < minimum:
        raise InsufficientBalance(
            currency=asked.currency, available_cents=available_cents, minimum_cents=minimum
        )
    return amount


def check_text(text: str, *, field: str) -> str:
    """A reference or reason for people: 1 to 255 printable characters. Raises InvalidInput."""
    stripped = text.strip()
    if not 1 <= len(stripped) <= REFERENCE_LIMIT or not stripped.isprintable():
        raise InvalidInput(field, f"Send 1 to {REFERENCE_LIMIT} printable characters.")
    return stripped


def check_url(text: str, *, field: str) -> str:
    """Where a person comes back to. Raises InvalidInput."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and len(text) <= 2_000
    except ValueError:
        good = False
    if not good or not text.isprintable():
        raise InvalidInput(field, "Send a web address such as https://shop.example/payouts.")
    return text


def transfer_group(payout_id: UUID) -> str:
    """The name by which a payout's transfer is found again, whatever was lost."""
    return f"payout-{payout_id}"


def transfer_params(payout: Any) -> Mapping[str, Any]:
    """Of the row alone: repeated under the same key, it must be the same request."""
    return {
        "amount": payout.amount_cents,
        "currency": payout.currency.lower(),
        "destination": payout.destination,
        "transfer_group": transfer_group(payout.id),
        "metadata": {"payout_id": str(payout.id)},
    }


def fits(payout: Any, transfer: Mapping[str, Any]) -> bool:
    """Whether the transfer is what the payout asked for."""
    wanted = transfer_params(payout)
    return all(transfer[name] == wanted[name] for name in ("amount", "currency", "destination"))
