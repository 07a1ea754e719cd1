"""Which of the account's choices can be set? (Retry rules, delays, fees: Stripe's dashboard.)"""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sandbox.errors import refused

DAY = 86400
MOST = 366 * DAY


@dataclass
class Settings:
    """Defaults are Stripe's, except the retry days, which are those of the product's dunning."""

    retry_days: list[int] = field(default_factory=lambda: [2, 5, 7, 7])
    after_last_retry: str = "cancel"  # or "unpaid", "past_due"
    finalize_after: int = 3600  # seconds that a renewal's invoice stays a draft
    upcoming_days: int = 7  # invoice.upcoming is sent so long before a renewal
    incomplete_hours: int = 23
    fee_permille: int = 29  # 2.9 % …
    fee_fixed: int = 30  # … and 30 minor units a charge
    payout_delay_days: int = 2  # until a charge's money is available for transfers
    processing_seconds: int = 3 * DAY  # until a bank debit settles

    def update(self, given: dict[str, Any]) -> None:
        """With values of their types. Raises ApiError where one makes no sense; then none is set."""
        for name, value in given.items():
            numbers = value if isinstance(value, list) else [value] if isinstance(value, int) else []
            if not all(0 <= number <= MOST for number in numbers):
                raise refused(f"{name}: from 0 to {MOST}", param=name)
            if name == "after_last_retry" and value not in ("cancel", "unpaid", "past_due"):
                raise refused("after_last_retry is cancel, unpaid or past_due", param=name)
        for name, value in given.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


TYPES: dict[str, Any] = {entry.name: entry.type for entry in fields(Settings)}
