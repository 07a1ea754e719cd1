"""What accounts used in which month."""

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from app.dataloaders.loader import LoaderGroup, loader
from app.db.database import Database
from app.db.models import UsageCounter
from app.db.reads import Query, among
from app.domain.usage import GAUGE_PERIOD

_COLUMNS: tuple[Any, ...] = (
    UsageCounter.user_id,
    UsageCounter.resource,
    UsageCounter.period_start,
    UsageCounter.used,
    UsageCounter.reserved,
)
_COUNTERS = Query(
    select(*_COLUMNS).where(among(UsageCounter.user_id, "users"), among(UsageCounter.period_start, "starts"))
)
Counters = dict[tuple[str, datetime], Row[Any]]


class UsageLoaders(LoaderGroup):
    @loader
    @staticmethod
    async def counters(database: Database, months: list[tuple[UUID, datetime]]) -> list[Counters]:
        """Of (account, start of the month): that month's, and those that never reset."""
        starts = {GAUGE_PERIOD, *(start for _, start in months)}
        rows = await database.rows(_COUNTERS, users={user_id for user_id, _ in months}, starts=starts)
        found: dict[UUID, Counters] = defaultdict(dict)
        for row in rows:
            found[row.user_id][row.resource, row.period_start] = row
        return [found[user_id] for user_id, _ in months]
