"""What hangs on each of many parents: all rows, a number, a page? One statement for all."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select
from sqlalchemy.orm import InstrumentedAttribute
from strawberry.dataloader import DataLoader

from app.db.database import Database
from app.db.repositories.keyset import Key, read_pages
from app.domain.paging import Page, Slice

Column = ColumnElement[UUID] | InstrumentedAttribute[UUID]
Lists = DataLoader[UUID, list[Row[Any]]]
Counts = DataLoader[UUID, int]
Pages = DataLoader[tuple[UUID, Page], Slice[Row[Any]]]


def lists_by_parent(database: Database, statement: Select[*tuple[Any, ...]], parent: Column) -> Lists:
    """The rows of ``statement``, in its order, under the parent that stands in the column ``parent``."""

    async def load(ids: list[UUID]) -> list[list[Row[Any]]]:
        wanted = statement.add_columns(parent.label("_parent")).where(parent.in_(ids))
        async with database.read() as connection:
            rows = (await connection.execute(wanted)).all()
        listed: dict[UUID, list[Row[Any]]] = defaultdict(list)
        for row in rows:
            listed[row._mapping["_parent"]].append(row)
        return [listed[each] for each in ids]

    return DataLoader(load_fn=load)


def counts_by_parent(database: Database, statement: Select[*tuple[Any, ...]], parent: Column) -> Counts:
    """The number that ``statement`` selects, for each parent; 0 where there is none."""

    async def load(ids: list[UUID]) -> list[int]:
        wanted = statement.add_columns(parent.label("_parent")).where(parent.in_(ids)).group_by(parent)
        async with database.read() as connection:
            counts = {row._mapping["_parent"]: row[0] for row in (await connection.execute(wanted)).all()}
        return [counts.get(each, 0) for each in ids]

    return DataLoader(load_fn=load)


def pages_by_parent(
    database: Database,
    statement: Select[*tuple[Any, ...]],
    parent: Column,
    *,
    keys: Sequence[Key],
    order: str,
) -> Pages:
    """One statement for each page that is asked for, however many parents ask."""

    async def load(wanted: list[tuple[UUID, Page]]) -> list[Slice[Row[Any]]]:
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

    return DataLoader(load_fn=load)
