"""What hangs on each of many parents: all rows, a number, a page? One statement for all."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select
from sqlalchemy.orm import InstrumentedAttribute

from app.dataloaders.loader import loader
from app.db.database import Database
from app.db.reads import Query, among
from app.db.repositories.keyset import Key, PagedList
from app.domain.paging import Page, Slice

Column = ColumnElement[UUID] | InstrumentedAttribute[UUID]
Lists = loader[UUID, list[Row[Any]]]
Counts = loader[UUID, int]
Pages = loader[tuple[UUID, Page], Slice[Row[Any]]]


def lists_by_parent(
    statement: Select[*tuple[Any, ...]], parent: Column | InstrumentedAttribute[UUID | None]
) -> Lists:
    """The rows of ``statement``, in its order, under the parent that stands in the column ``parent``."""
    query = Query(statement.add_columns(parent.label("parent")).where(among(parent, "parents")))

    async def load(database: Database, ids: list[UUID]) -> list[list[Row[Any]]]:
        listed: dict[UUID, list[Row[Any]]] = defaultdict(list)
        for row in await database.rows(query, parents=ids):
            listed[row.parent].append(row)
        return [listed[each] for each in ids]

    return loader(load)


def counts_by_parent(statement: Select[*tuple[Any, ...]], parent: Column) -> Counts:
    """The number that ``statement`` selects, for each parent; 0 where there is none."""
    grouped = statement.add_columns(parent.label("parent")).group_by(parent)
    query = Query(grouped.where(among(parent, "parents")))

    async def load(database: Database, ids: list[UUID]) -> list[int]:
        counts = {row.parent: row[0] for row in await database.rows(query, parents=ids)}
        return [counts.get(each, 0) for each in ids]

    return loader(load)


def pages_by_parent(
    statement: Select[*tuple[Any, ...]], parent: Column, *, keys: Sequence[Key], order: str
) -> Pages:
    """One statement for each page that is asked for, however many parents ask."""
    lists = PagedList(statement, keys=keys, order=order, of=parent)

    async def load(database: Database, wanted: list[tuple[UUID, Page]]) -> list[Slice[Row[Any]]]:
        parents: dict[Page, list[UUID]] = defaultdict(list)
        for each, page in wanted:
            parents[page].append(each)
        found = {page: await lists.read_of(database, ids, page) for page, ids in parents.items()}
        return [found[page][each] for each, page in wanted]

    return loader(load, lists=lists)
