"""The accounts of the double-entry ledger, what moves money between them, and how each entry is written.

Lines are minor units of the entry's currency: positive is a debit, negative a credit; those of an entry sum
to zero. What an author is owed is therefore a negative sum. A line of an author's counts from
``available_at`` on; without it, it is withheld until a dispute is decided.

Everything that is taken back of a sale (by refunds, by a payer's bank) is one sum, and the author's part of
it a function of that sum alone. So neither the order of events nor what was given back in between leaves a
cent behind.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from app.domain.commission import Split, share_taken


class Account(StrEnum):
    CASH = "cash"
    """What the payment provider holds for us of sales."""
    AUTHOR_PAYABLE = "author_payable"
    """What is owed to one author."""
    COMMISSION = "commission"
    """What is ours of a sale."""
    DISPUTED = "disputed"
    """What a payer's bank has taken until a dispute is decided."""


class EntryKind(StrEnum):
    SALE = "sale"
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    DISPUTE_REVERSED = "dispute_reversed"
    """Won after it was lost."""
    PAYOUT = "payout"
    PAYOUT_FAILED = "payout_failed"


class PayoutMethod(StrEnum):
    TRANSFER = "transfer"
    MANUAL = "manual"


class PayoutStatus(StrEnum):
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"
    REVERSED = "reversed"
    """All of it came back after it was paid."""


AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""From when a payout counts. The moment at which it was asked for would not do: a request that began a little
before, or on a server whose clock is behind, would not see it, and pay the same money again."""


class Unbalanced(Exception):
    """Lines that do not sum to zero: a mistake of the program, never written."""


@dataclass(frozen=True)
class Line:
    account: Account
    amount_cents: int
    author_id: UUID | None = None
    available_at: datetime | None = None


@dataclass(frozen=True)
class Written:
    """A line as it stands in the books, with its entry's kind."""

    kind: EntryKind
    line: Line


@dataclass(frozen=True)
class Sale:
    """How a sale stands: ``taken_cents`` of its amount and ``share_taken_cents`` of the share went back."""

    author_id: UUID
    available_at: datetime
    amount_cents: int
    share_cents: int
    taken_cents: int
    share_taken_cents: int

    @property
    def is_gone(self) -> bool:
        return self.taken_cents >= self.amount_cents

    def after(self, taken_cents: int) -> "Sale":
        """As it stands once so much more of it went back; less than zero: came again."""
        taken = self.taken_cents + taken_cents
        gone = share_taken(amount_cents=self.amount_cents, share_cents=self.share_cents, taken_cents=taken)
        return Sale(self.author_id, self.available_at, self.amount_cents, self.share_cents, taken, gone)


def balanced(lines: Iterable[Line]) -> list[Line]:
    """Those that move something. Raises Unbalanced."""
    moving = [line for line in lines if line.amount_cents]
    if sum(line.amount_cents for line in moving) != 0:
        raise Unbalanced(f"These lines do not sum to zero: {moving}")
    return moving


def sale(*, parts: Split, author_id: UUID, available_at: datetime) -> list[Line]:
    return [
        Line(Account.CASH, parts.commission_cents + parts.author_share_cents),
        Line(Account.COMMISSION, -parts.commission_cents),
        Line(Account.AUTHOR_PAYABLE, -parts.author_share_cents, author_id, available_at),
    ]


def refund(before: Sale, amount_cents: int) -> list[Line]:
    """The share leaves where it came in: during the hold what is pending becomes less."""
    share = before.after(amount_cents).share_taken_cents - before.share_taken_cents
    return [
        Line(Account.CASH, -amount_cents),
        Line(Account.COMMISSION, amount_cents - share),
        Line(Account.AUTHOR_PAYABLE, share, before.author_id, before.available_at),
    ]


def dispute_opened(before: Sale, amount_cents: int) -> list[Line]:
    """The bank has the money; the author's part is withheld, and still the author's."""
    share = before.after(amount_cents).share_taken_cents - before.share_taken_cents
    return [
        Line(Account.CASH, -amount_cents),
        Line(Account.DISPUTED, amount_cents),
        Line(Account.AUTHOR_PAYABLE, share, before.author_id, before.available_at),
        Line(Account.AUTHOR_PAYABLE, -share, before.author_id),
    ]


def dispute_won(before: Sale, opened: Sequence[Line]) -> list[Line]:
    amount, withheld = amount_of(opened), withheld_of(opened)
    share = before.share_taken_cents - before.after(-amount).share_taken_cents
    return [
        Line(Account.CASH, amount),
        Line(Account.DISPUTED, -amount),
        Line(Account.COMMISSION, share - withheld),
        Line(Account.AUTHOR_PAYABLE, withheld, before.author_id),
        Line(Account.AUTHOR_PAYABLE, -share, before.author_id, before.available_at),
    ]


def dispute_lost(before: Sale, opened: Sequence[Line]) -> list[Line]:
    amount, withheld = amount_of(opened), withheld_of(opened)
    return [
        Line(Account.DISPUTED, -amount),
        Line(Account.COMMISSION, amount - withheld),
        Line(Account.AUTHOR_PAYABLE, withheld, before.author_id),
    ]


def dispute_reversed(before: Sale, opened: Sequence[Line]) -> list[Line]:
    """The bank gives back what it had for good; the author's part comes home."""
    amount = amount_of(opened)
    share = before.share_taken_cents - before.after(-amount).share_taken_cents
    return [
        Line(Account.CASH, amount),
        Line(Account.COMMISSION, share - amount),
        Line(Account.AUTHOR_PAYABLE, -share, before.author_id, before.available_at),
    ]


def payout(*, amount_cents: int, author_id: UUID) -> list[Line]:
    """Less than zero: what came back."""
    return [
        Line(Account.AUTHOR_PAYABLE, amount_cents, author_id, AT_ONCE),
        Line(Account.CASH, -amount_cents),
    ]


def month_of(moment: datetime) -> str:
    """The month of the books that it falls into: 2026-11."""
    return f"{moment.astimezone(UTC):%Y-%m}"


def amount_of(lines: Sequence[Line]) -> int:
    """What an entry took out of the cash."""
    return -sum(line.amount_cents for line in lines if line.account is Account.CASH)


def withheld_of(lines: Sequence[Line]) -> int:
    return -sum(
        line.amount_cents
        for line in lines
        if line.account is Account.AUTHOR_PAYABLE and line.available_at is None
    )


def standing(written: Sequence[Written]) -> Sale | None:
    """Of all lines of a purchase; None where it was never sold."""
    sold = [each.line for each in written if each.kind is EntryKind.SALE]
    later = [each.line for each in written if each.kind is not EntryKind.SALE]
    share = next((line for line in sold if line.account is Account.AUTHOR_PAYABLE), None)
    if share is None or share.author_id is None or share.available_at is None:
        return None
    return Sale(
        author_id=share.author_id,
        available_at=share.available_at,
        amount_cents=-amount_of(sold),
        share_cents=-share.amount_cents,
        taken_cents=amount_of(later),
        share_taken_cents=sum(
            line.amount_cents
            for line in later
            if line.account is Account.AUTHOR_PAYABLE and line.available_at is not None
        ),
    )
