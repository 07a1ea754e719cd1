"""What should be in the books of sales and payouts, reckoned from what happened and not from entries."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.domain.ledger import PayoutMethod


@dataclass
class Sold:
    id: UUID
    currency: str
    amount: int
    share: int
    at: datetime
    refunds: dict[UUID, int] = field(default_factory=dict)
    failed: set[UUID] = field(default_factory=set)
    disputes: dict[UUID, tuple[int, int]] = field(default_factory=dict)
    lost: set[UUID] = field(default_factory=set)

    @property
    def taken(self) -> int:
        given_back = sum(cents for key, cents in self.refunds.items() if key not in self.failed)
        return given_back + sum(amount for amount, _ in self.disputes.values())

    @property
    def kept(self) -> int:
        """Of the share, at home: a fraction of a cent is the author's."""
        gone = self.share if self.taken >= self.amount else self.share * self.taken // self.amount
        return self.share - gone

    @property
    def withheld(self) -> int:
        return sum(share for key, (_, share) in self.disputes.items() if key not in self.lost)


@dataclass
class Paid:
    id: UUID
    currency: str
    amount: int
    method: PayoutMethod
    returned: int = 0
    is_open: bool = True
