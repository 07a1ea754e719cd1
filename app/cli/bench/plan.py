"""How large is the database, and what do all of its rows have in common?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from app.db.models import Base
from app.domain.plans import Tier

Rows = Iterator[tuple[Any, ...]]
"""In the order of the columns that stand above the function."""

REGISTERED_DAYS = 455
"""Accounts were opened from so many days ago ..."""
ACTIVE_DAYS = 90
"""... to so many, and have used the server since."""
MOMENTS = 1460
"""At so many different moments: accounts of one moment share their periods, which are worked out once."""


@dataclass(frozen=True)
class Plan:
    """``until`` is the day that the rows lead up to; everything follows from these values."""

    users: int
    packages: int
    events: int
    seed: int
    until: datetime

    @property
    def authors(self) -> int:
        return max(1, self.packages // 20)

    def random(self, subject: str) -> Random:
        """A stream of its own for each subject, so that any part can be made again without the others."""
        return Random(f"{self.seed}:{subject}")  # noqa: S311 - repeatable rows, no secrets

    def id(self, kind: int, number: int, moment: datetime) -> UUID:
        """A UUIDv7 of that moment; the kind and number make it unique and the same each time."""
        milliseconds = int(moment.timestamp() * 1000)
        return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | kind << 48 | number)

    def registered_at(self, user: int) -> datetime:
        """Later for later accounts."""
        return self.moment_at(self.moment(user))

    def moment(self, user: int) -> int:
        return user * MOMENTS // self.users

    def moment_at(self, moment: int) -> datetime:
        span = timedelta(days=REGISTERED_DAYS - ACTIVE_DAYS)
        return self.until - timedelta(days=REGISTERED_DAYS) + span * moment / MOMENTS

    def user_id(self, user: int) -> UUID:
        return self.id(1, user, self.registered_at(user))

    def tier(self, user: int) -> Tier:
        """The first hundredth pays most, the next fifth pays; they are also who uses most."""
        if user * 100 < self.users:
            return Tier.ENTERPRISE
        return Tier.PRO if user * 5 < self.users else Tier.FREE

    def published_at(self, package: int) -> datetime:
        first = self.until - timedelta(days=REGISTERED_DAYS)
        return first + timedelta(days=REGISTERED_DAYS - ACTIVE_DAYS) * (package / self.packages)

    def package_id(self, package: int) -> UUID:
        return self.id(2, package, self.published_at(package))


def columns_of(model: type[Base], listed: str) -> list[str]:
    """The names as a list. Raises ValueError for unknown ones and for missing ones that need a value."""
    names, columns = set(listed.split()), model.__table__.columns
    needed = {column.name for column in columns if not column.nullable and column.server_default is None}
    wrong = (needed - names) | (names - {column.name for column in columns})
    if wrong:
        raise ValueError(
            f"{model.__tablename__}: {', '.join(sorted(wrong))} must be in the rows and the table."
        )
    return listed.split()


def day(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
