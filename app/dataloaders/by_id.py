"""The most frequent question: which rows have these ids?"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import InstrumentedAttribute
from strawberry.dataloader import DataLoader

from app.db.database import Database
from app.db.rows import Row, Select

Loaded = DataLoader[UUID, Row | None]


def rows_by_id(database: Database, statement: Select, column: InstrumentedAttribute[UUID]) -> Loaded:
    """A loader of ``statement``'s rows by ``column``, labelled ``id``; None where there is none."""

    async def load(ids: Sequence[UUID]) -> list[Row | None]:
        async with database.read() as connection:
            rows = (await connection.execute(statement.where(column.in_(ids)))).all()
        found = {row.id: row for row in rows}
        return [found.get(wanted) for wanted in ids]

    return DataLoader(load_fn=load)
