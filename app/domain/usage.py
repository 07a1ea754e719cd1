"""The closed sets and constants of metering."""

from datetime import UTC, datetime
from enum import StrEnum

GAUGE_PERIOD = datetime(1970, 1, 1, tzinfo=UTC)
"""The period of what does not reset: stored bytes and running installations."""


class ReservationState(StrEnum):
    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"
    EXPIRED = "expired"


REGISTRATION = "registration"
"""An event that no plan limits: an account was opened."""
