"""How one page of an ordered list is read: by the last seen key, never by counting rows off."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Uuid, and_, literal, or_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models.base import UtcDateTime
from app.domain.errors import InvalidInput
from app.domain.paging import Cursor, Page, Slice, write_cursor

Key = tuple[ColumnElement[Any], bool]
"""A column and whether it descends. The last key is unique, so that the order is total."""


async def read_page(
    connection: AsyncConnection, statement: Select[Any], *, keys: Sequence[Key], page: Page, order: str
) -> Slice[Row[Any]]:
    """The page of ``statement``. The keys' columns are selected beside its own, as ``_key0``, ``_key1``, …"""
    statement = statement.add_columns(*(column.label(f"_key{n}") for n, (column, _) in enumerate(keys)))
    if page.after is not None:
        statement = statement.where(_beyond(keys, page.after, forward=True))
    if page.before is not None:
        statement = statement.where(_beyond(keys, page.before, forward=False))
    ordering = [column.desc() if descends != page.backward else column.asc() for column, descends in keys]
    found = (await connection.execute(statement.order_by(*ordering).limit(page.size + 1))).all()
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
    """Lexicographic comparison spelt out, because the directions of the keys may differ."""
    if len(cursor) != len(keys):
        raise InvalidInput("after" if forward else "before", "This is not a cursor of this list.")
    values = [_typed(column, value) for (column, _), value in zip(keys, cursor, strict=True)]
    alternatives = []
    for n, (column, descends) in enumerate(keys):
        equal = [keys[m][0] == values[m] for m in range(n)]
        alternatives.append(and_(*equal, column < values[n] if descends == forward else column > values[n]))
    return or_(*alternatives)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _typed(column: ColumnElement[Any], value: str | int | float) -> ColumnElement[Any]:
    try:
        return literal(_from_plain(column, value), column.type)
    except (ValueError, TypeError, AttributeError):
        raise InvalidInput("after", "This is not a cursor of this list.") from None


def _from_plain(column: ColumnElement[Any], value: str | int | float) -> Any:
    if isinstance(column.type, Uuid):
        return UUID(str(value))
    if isinstance(column.type, UtcDateTime):
        return datetime.fromisoformat(str(value))
    if not isinstance(value, column.type.python_type) and not (
        column.type.python_type is float and type(value) is int
    ):
        raise TypeError
    return value
