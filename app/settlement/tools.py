"""What settling needs of the process, handed down as one value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db.database import Database
from app.domain.commission import Terms
from app.domain.outbox import LEASE
from app.domain.plans import Plan, Tier
from app.ports import LicenceSigner
from app.ports.provider import PaymentProvider


@dataclass(frozen=True)
class Tools:
    database: Database
    provider: PaymentProvider
    signer: LicenceSigner
    plans: Mapping[Tier, Plan]
    commission: Terms
    clock: Callable[[], datetime]
    lease: timedelta = LEASE
    """For how long what a killed process had in hand stays untouched."""
