"""The most frequent question: which rows have these ids?"""

from operator import attrgetter
from uuid import UUID

from sqlalchemy.orm import InstrumentedAttribute

from app.dataloaders.loader import loader
from app.db.database import Database
from app.db.reads import Query, among
from app.db.rows import Row, Select


def rows_by_id(statement: Select, column: InstrumentedAttribute[UUID]) -> loader[UUID, Row | None]:
    """``statement``'s rows by ``column``, which it selects under its own name; None where there is none."""
    key, query = attrgetter(column.key), Query(statement.where(among(column, "ids")))

    async def load(database: Database, ids: list[UUID]) -> list[Row | None]:
        found = {key(row): row for row in await database.rows(query, ids=ids)}
        return [found.get(wanted) for wanted in ids]

    return loader(load)
