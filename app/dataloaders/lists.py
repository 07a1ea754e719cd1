"""What hangs on each of many parents: all rows, a number, a page? One statement for all."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select
from sqlalchemy.orm import InstrumentedAttribute

from app.dataloaders.loader import loader
from app.db.database import Database
from app.db.repositories.keyset import Key, read_pages
from app.domain.paging import Page, Slice

Column = ColumnElement[UUID] | InstrumentedAttribute[UUID]
Lists = loader[UUID, list[Row[Any]]]
Counts = loader[UUID, int]
Pages = loader[tuple[UUID, Page], Slice[Row[Any]]]


def lists_by_parent(
    statement: Select[*tuple[Any, ...]], parent: Column | InstrumentedAttribute[UUID | None]
) -> Lists:
    """The rows of ``statement``, in its order, under the parent that stands in the column ``parent``."""
    labelled = statement.add_columns(parent.label("_parent"))

    async def load(database: Database, ids: list[UUID]) -> list[list[Row[Any]]]:
        async with database.read() as connection:
            rows = (await connection.execute(labelled.where(parent.in_(ids)))).all()
        listed: dict[UUID, list[Row[Any]]] = defaultdict(list)
        for row in rows:
            listed[row._mapping["_parent"]].append(row)
        return [listed[each] for each in ids]

    return loader(load)


def counts_by_parent(statement: Select[*tuple[Any, ...]], parent: Column) -> Counts:
    """The number that ``statement`` selects, for each parent; 0 where there is none."""
    labelled = statement.add_columns(parent.label("_parent")).group_by(parent)

    async def load(database: Database, ids: list[UUID]) -> list[int]:
        async with database.read() as connection:
            rows = (await connection.execute(labelled.where(parent.in_(ids)))).all()
        counts = {row._mapping["_parent"]: row[0] for row in rows}
        return [counts.get(each, 0) for each in ids]

    return loader(load)


def pages_by_parent(
    statement: Select[*tuple[Any, ...]], parent: Column, *, keys: Sequence[Key], order: str
) -> Pages:
    """One statement for each page that is asked for, however many parents ask."""

    async def load(database: Database, wanted: list[tuple[UUID, Page]]) -> list[Slice[Row[Any]]]:
        parents: dict[Page, list[UUID]] = defaultdict(list)
        for each, page in wanted:
            parents[page].append(each)
        found = {}
        async with database.read() as connection:
            for page, ids in parents.items():
                found[page] = await read_pages(
                    connection, statement, of=parent, parents=ids, keys=keys, page=page, order=order
                )
        return [found[page][each] for each, page in wanted]

    return loader(load)
