"""The constants and closed sets of accounts."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

ACCESS_TOKEN_LIFETIME = timedelta(minutes=15)
SESSION_LIFETIME = timedelta(days=30)
REFRESH_GRACE = timedelta(seconds=10)
"""Two tabs, or a lost answer: for so long a used refresh token gives its successor again (RFC 9700, 4.14)."""


class LinkPurpose(StrEnum):
    """What a mailed link is good for."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose, not a password

    @property
    def lifetime(self) -> timedelta:
        return timedelta(hours=1) if self is LinkPurpose.RESET_PASSWORD else timedelta(days=3)


@dataclass(frozen=True)
class SignedIn:
    """A session just opened or continued: the only moment at which its secrets exist in full."""

    user_id: UUID
    session_id: UUID
    access_token: str
    refresh_token: str


@dataclass(frozen=True)
class Client:
    """Where a sign-in comes from, as far as it tells."""

    address: str | None = None
    user_agent: str | None = None
