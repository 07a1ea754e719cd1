"""What is bought, by what means, and what came of it."""

from dataclasses import dataclass
from uuid import UUID

from app.db.database import Database
from app.domain.commission import Terms
from app.domain.errors import DomainError
from app.ports import LicenceSigner
from app.settlement.tools import Tools


@dataclass(frozen=True)
class Shop:
    """What selling needs of the process; without ``tools`` only what is free is to be had."""

    database: Database
    signer: LicenceSigner
    commission: Terms
    tools: Tools | None


@dataclass(frozen=True)
class Wish:
    """``method_id``: how to pay at once, by a method that the account keeps.

    ``return_url``: where the payer's bank leads back to.
    """

    package_id: UUID
    version: str | None
    idempotency_key: str
    method_id: UUID | None = None
    return_url: str = ""


@dataclass(frozen=True)
class Bought:
    """``problem``: why it is not paid, although the purchase is there."""

    purchase_id: UUID
    problem: DomainError | None = None


@dataclass(frozen=True)
class Entered:
    purchase_id: UUID
    method: str | None = None
    replayed: bool = False


class Outdated(Exception):
    """There is a payment for what the package was before: another price, another version."""

    def __init__(self, payment_id: UUID) -> None:
        super().__init__(str(payment_id))
        self.payment_id = payment_id
