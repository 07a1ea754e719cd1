"""Invoices for services, written by an admin: what may stand on one, and when it is looked at again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from app.domain.errors import InvalidInput
from app.domain.money import currency_code
from app.domain.payments import COUNTED_OTHERWISE
from app.domain.unicode_text import normalise

MOST_LINES = 50
MOST_CENTS = 99_999_999
"""The provider's limit of what can be paid at once."""
MOST_OF_ONE = 100_000
LONGEST_LINE = 500
LONGEST_MEMO = 500
LONGEST_TERM = 365
CHECKED_AFTER = timedelta(minutes=3)
"""Longer than whoever asked for it takes, through every repetition of its calls."""
CHECKED_AGAIN_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class ServiceLine:
    """``unit_amount_cents`` is negative for what is taken off."""

    description: str
    quantity: int
    unit_amount_cents: int

    @property
    def amount_cents(self) -> int:
        return self.quantity * self.unit_amount_cents


@dataclass(frozen=True)
class ServiceInvoice:
    """Checked: what is written down, and asked of the provider."""

    lines: tuple[ServiceLine, ...]
    currency: str
    days_until_due: int
    memo: str | None

    @property
    def total_cents(self) -> int:
        return sum(line.amount_cents for line in self.lines)


def checked(
    *, lines: Sequence[ServiceLine], currency: str, days_until_due: int, memo: str | None
) -> ServiceInvoice:
    """Raises InvalidInput for what cannot be invoiced."""
    if not 1 <= len(lines) <= MOST_LINES:
        raise InvalidInput("lines", f"Send 1 to {MOST_LINES} lines.")
    if not 1 <= days_until_due <= LONGEST_TERM:
        raise InvalidInput("daysUntilDue", f"Send 1 to {LONGEST_TERM} days.")
    invoice = ServiceInvoice(
        lines=tuple(map(_line, lines)),
        currency=_currency(currency),
        days_until_due=days_until_due,
        memo=_text(memo, field="memo", longest=LONGEST_MEMO, multiline=True) if memo else None,
    )
    if not 1 <= invoice.total_cents <= MOST_CENTS:
        raise InvalidInput("lines", f"Together the lines must come to 1 to {MOST_CENTS} minor units.")
    return invoice


def _currency(text: str) -> str:
    code = currency_code(text)
    if code in COUNTED_OTHERWISE:
        raise InvalidInput("currency", f"Nothing can be invoiced in {code}.")
    return code


def _line(line: ServiceLine) -> ServiceLine:
    description = _text(line.description, field="description", longest=LONGEST_LINE)
    if not description:
        raise InvalidInput("description", "Say what each line is for.")
    if not 1 <= line.quantity <= MOST_OF_ONE:
        raise InvalidInput("quantity", f"Send a quantity of 1 to {MOST_OF_ONE}.")
    if abs(line.unit_amount_cents) > MOST_CENTS:
        raise InvalidInput("unitAmountCents", f"One costs at most {MOST_CENTS} minor units.")
    return replace(line, description=description)


def _text(text: str, *, field: str, longest: int, multiline: bool = False) -> str:
    known = normalise(text, field=field, multiline=multiline).strip()
    if len(known) > longest:
        raise InvalidInput(field, f"Write at most {longest} characters.")
    return known
