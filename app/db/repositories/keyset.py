"""How one page of an ordered list is read: by the last seen key, never by counting rows off."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from app.db.models.base import UtcDateTime
from app.db.rows import Row, Select
from app.domain.errors import InvalidInput
from app.domain.paging import Cursor, Page, Slice, write_cursor

Key = tuple[ColumnElement[Any] | InstrumentedAttribute[Any], bool]
"""A column and whether it descends. The last key is unique, so that the order is total."""


async def read_page(
    connection: AsyncConnection, statement: Select, *, keys: Sequence[Key], page: Page, order: str
) -> Slice[Row]:
    """The page of ``statement``. The keys' columns are selected beside its own, as ``_key0``, ``_key1``, …"""
    statement = _bounded(statement, keys, page).order_by(*_ordering(keys, page)).limit(page.size + 1)
    return _slice((await connection.execute(statement)).all(), keys, page, order)


async def read_pages(
    connection: AsyncConnection,
    statement: Select,
    *,
    of: ColumnElement[UUID] | InstrumentedAttribute[UUID],
    parents: Sequence[UUID],
    keys: Sequence[Key],
    page: Page,
    order: str,
) -> dict[UUID, Slice[Row]]:
    """The same page of the list of every parent, which stands in the column ``of``, by one statement.

    Of one parent by a limit, which stops at the page's end; numbering the places reads every list whole.
    """
    if len(parents) == 1:
        only = statement.where(of == parents[0])
        return {parents[0]: await read_page(connection, only, keys=keys, page=page, order=order)}
    place = func.row_number().over(partition_by=of, order_by=_ordering(keys, page))
    numbered = _bounded(statement.where(of.in_(parents)), keys, page).add_columns(
        of.label("_parent"), place.label("_place")
    )
    rows = numbered.subquery()
    found = (
        select(rows).where(rows.c["_place"] <= page.size + 1).order_by(rows.c["_parent"], rows.c["_place"])
    )
    by_parent: dict[UUID, list[Row]] = {parent: [] for parent in parents}
    for row in (await connection.execute(found)).all():
        by_parent[row._mapping["_parent"]].append(row)
    return {parent: _slice(listed, keys, page, order) for parent, listed in by_parent.items()}


def _bounded(statement: Select, keys: Sequence[Key], page: Page) -> Select:
    statement = statement.add_columns(*(column.label(f"_key{n}") for n, (column, _) in enumerate(keys)))
    if page.after is not None:
        statement = statement.where(_beyond(keys, page.after, forward=True))
    if page.before is not None:
        statement = statement.where(_beyond(keys, page.before, forward=False))
    return statement


def _ordering(keys: Sequence[Key], page: Page) -> list[ColumnElement[Any]]:
    return [column.desc() if descends != page.backward else column.asc() for column, descends in keys]


def _slice(found: Sequence[Row], keys: Sequence[Key], page: Page, order: str) -> Slice[Row]:
    """``found`` has one row more than the page where more follows."""
    more, rows = len(found) > page.size, list(found[: page.size])
    if page.backward:
        rows.reverse()
    return Slice(
        rows=rows,
        cursors=[
            write_cursor([_plain(row._mapping[f"_key{n}"]) for n in range(len(keys))], order=order)
            for row in rows
        ],
        has_next=page.before is not None if page.backward else more,
        has_previous=more if page.backward else page.after is not None,
    )


def _beyond(keys: Sequence[Key], cursor: Cursor, *, forward: bool) -> ColumnElement[bool]:
    """Lexicographic comparison spelt out, because the directions of the keys may differ.

    What it says of the first key alone is said once more in front: only there an index finds its place.
    """
    field = "after" if forward else "before"
    if len(cursor) != len(keys):
        raise InvalidInput(field, f"'{field}' is not a cursor of this list.")
    values = [_typed(column, value, field) for (column, _), value in zip(keys, cursor, strict=True)]
    alternatives = []
    for n, (column, descends) in enumerate(keys):
        equal = [keys[m][0] == values[m] for m in range(n)]
        alternatives.append(and_(*equal, column < values[n] if descends == forward else column > values[n]))
    if len(keys) == 1:
        return alternatives[0]
    first, descends = keys[0]
    return and_(first <= values[0] if descends == forward else first >= values[0], or_(*alternatives))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _typed(
    column: ColumnElement[Any] | InstrumentedAttribute[Any], value: str | int | float, field: str
) -> ColumnElement[Any]:
    try:
        return literal(_from_plain(column, value), column.type)
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise InvalidInput(field, f"'{field}' is not a cursor of this list.") from None


def _from_plain(column: ColumnElement[Any] | InstrumentedAttribute[Any], value: str | int | float) -> Any:
    if isinstance(column.type, Uuid):
        return UUID(str(value))
    if isinstance(column.type, UtcDateTime):
        return _aware(datetime.fromisoformat(str(value)))
    if not isinstance(value, column.type.python_type) and not (
        column.type.python_type is float and type(value) is int
    ):
        raise TypeError
    if (isinstance(value, int) and value.bit_length() > 63) or (isinstance(value, str) and "\0" in value):
        raise ValueError  # a forged cursor: no column holds it, and the driver would refuse it
    return value


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError
    return value.astimezone(UTC)
