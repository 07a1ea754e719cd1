"""How one page of an ordered list is read: by the last seen key, never by counting rows off."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Uuid, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine

from app.db.database import Database
from app.db.models.base import UtcDateTime
from app.db.reads import Query, among, given
from app.db.rows import Row, Select
from app.domain.errors import InvalidInput
from app.domain.paging import Cursor, Page, Slice, write_cursor

Column = ColumnElement[Any] | InstrumentedAttribute[Any]
Key = tuple[Column, bool]
"""A column and whether it descends. The last key is unique, so that the order is total."""
Shape = tuple[bool, bool, bool]
"""Whether a page is asked for backward, after a cursor, before a cursor: the rest of it are values."""


class PagedList:
    """The pages of what ``statement`` selects, in the order of ``keys``, whose columns become ``key_0``, …

    With ``of``: of many such lists, one for each parent, which stands in that column.
    """

    def __init__(
        self, statement: Select, *, keys: Sequence[Key], order: str, of: Column | None = None
    ) -> None:
        self._statement = statement
        self._keys = keys
        self.order = order
        self._of = of
        self._queries: dict[tuple[Shape, bool], Query] = {}
        self._keys_of = [attrgetter(f"key_{n}") for n in range(len(keys))]

    async def read(self, database: Database, page: Page) -> Slice[Row]:
        values = self._values(page)
        return self._slice(await database.rows(self._query(page, many=False), **values), page)

    async def read_on(self, connection: AsyncConnection, page: Page) -> Slice[Row]:
        """The same by SQLAlchemy, for statements that are made anew each time."""
        values = self._values(page)
        found = await connection.execute(self._query(page, many=False).statement, values)
        return self._slice(found.all(), page)

    async def read_of(
        self, database: Database, parents: Sequence[UUID], page: Page
    ) -> Mapping[UUID, Slice[Row]]:
        """The same page of every parent's list, by one statement.

        Of one parent by a limit, which stops at the page's end; numbering the places reads every list whole.
        """
        many, values = len(parents) > 1, self._values(page)
        rows = await database.rows(self._query(page, many=many), parents=parents, parent=parents[0], **values)
        if not many:
            return {parents[0]: self._slice(rows, page)}
        by_parent: dict[UUID, list[Row]] = {parent: [] for parent in parents}
        for row in rows:
            by_parent[row.parent].append(row)
        return {parent: self._slice(listed, page) for parent, listed in by_parent.items()}

    def beneath(self, parent: ColumnElement[UUID] | None, *, after: bool, name: str) -> Select:
        """The first page, or what is after a cursor, of the list of one ``parent``, as a part of a statement.

        Its values are given under names that begin with ``name``, as `values_beneath` gives them.
        """
        statement = self._bounded((False, after, False), name=name)
        if self._of is not None:
            statement = statement.where(self._of == parent)
        return statement.order_by(*self._ordering((False, after, False))).limit(
            given(f"{name}size", Integer())
        )

    def count(self, parent: ColumnElement[UUID] | None) -> ColumnElement[int]:
        """The length of one ``parent``'s whole list, as a part of a statement."""
        statement = self._statement if self._of is None else self._statement.where(self._of == parent)
        return select(func.count()).select_from(statement.subquery()).scalar_subquery()

    def values_beneath(self, page: Page, *, name: str) -> dict[str, Any]:
        return {f"{name}{key}": value for key, value in self._values(page).items()}

    def cursor_columns(self) -> Sequence[tuple[str, TypeEngine[Any]]]:
        """Of each row: the names and types of what its cursor is made of, and `order` is its first member."""
        return [(f"key_{n}", column.type) for n, (column, _) in enumerate(self._keys)]

    def _query(self, page: Page, *, many: bool) -> Query:
        shape = (page.backward, page.after is not None, page.before is not None)
        known = self._queries.get((shape, many))
        if known is None:
            known = self._queries[shape, many] = Query(self._of_many(shape) if many else self._of_one(shape))
        return known

    def _of_one(self, shape: Shape) -> Select:
        statement = self._bounded(shape)
        if self._of is not None:
            statement = statement.where(self._of == given("parent", self._of.type))
        return statement.order_by(*self._ordering(shape)).limit(given("size", Integer()))

    def _of_many(self, shape: Shape) -> Select:
        assert self._of is not None
        place = func.row_number().over(partition_by=self._of, order_by=self._ordering(shape))
        numbered = self._bounded(shape).where(among(self._of, "parents"))
        rows = numbered.add_columns(self._of.label("parent"), place.label("place")).subquery()
        wanted = select(rows).where(rows.c["place"] <= given("size", Integer()))
        return wanted.order_by(rows.c["parent"], rows.c["place"])

    def _bounded(self, shape: Shape, *, name: str = "") -> Select:
        _, after, before = shape
        statement = self._statement.add_columns(
            *(column.label(f"key_{n}") for n, (column, _) in enumerate(self._keys))
        )
        if after:
            statement = statement.where(self._beyond(f"{name}after", forward=True))
        if before:
            statement = statement.where(self._beyond(f"{name}before", forward=False))
        return statement

    def _ordering(self, shape: Shape) -> list[ColumnElement[Any]]:
        backward, _, _ = shape
        return [column.desc() if descends != backward else column.asc() for column, descends in self._keys]

    def _beyond(self, field: str, *, forward: bool) -> ColumnElement[bool]:
        """Lexicographic comparison spelt out, because the directions of the keys may differ.

        What it says of the first key alone is said once more in front: only there an index finds its place.
        """
        values = [given(f"{field}_{n}", column.type) for n, (column, _) in enumerate(self._keys)]
        alternatives = []
        for n, (column, descends) in enumerate(self._keys):
            equal = [self._keys[m][0] == values[m] for m in range(n)]
            beyond = column < values[n] if descends == forward else column > values[n]
            alternatives.append(and_(*equal, beyond))
        if len(self._keys) == 1:
            return alternatives[0]
        first, descends = self._keys[0]
        bound = first <= values[0] if descends == forward else first >= values[0]
        return and_(bound, or_(*alternatives))

    def _values(self, page: Page) -> dict[str, Any]:
        """Raises InvalidInput for the cursor of another list."""
        values: dict[str, Any] = {"size": page.size + 1}
        for field, cursor in (("after", page.after), ("before", page.before)):
            values.update(self._cursor_values(field, cursor) if cursor is not None else ())
        return values

    def _cursor_values(self, field: str, cursor: Cursor) -> Iterable[tuple[str, Any]]:
        try:
            for n, ((column, _), value) in enumerate(zip(self._keys, cursor, strict=True)):
                yield f"{field}_{n}", _from_plain(column, value)
        except (ValueError, TypeError, AttributeError, OverflowError):
            raise InvalidInput(field, f"'{field}' is not a cursor of this list.") from None

    def _cursor_of(self, row: Row) -> str:
        return write_cursor([_plain(key(row)) for key in self._keys_of], order=self.order)

    def _slice(self, found: Sequence[Row], page: Page) -> Slice[Row]:
        """``found`` has one row more than the page where more follows."""
        more, rows = len(found) > page.size, list(found[: page.size])
        if page.backward:
            rows.reverse()
        return Slice(
            rows=rows,
            cursor_of=self._cursor_of,
            has_next=page.before is not None if page.backward else more,
            has_previous=more if page.backward else page.after is not None,
        )


async def read_page(
    connection: AsyncConnection, statement: Select, *, keys: Sequence[Key], page: Page, order: str
) -> Slice[Row]:
    """One page of a list that is asked for seldom, or whose statement is made anew each time."""
    return await PagedList(statement, keys=keys, order=order).read_on(connection, page)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return str(value) if isinstance(value, UUID) else value


def _from_plain(column: Column, value: str | int | float) -> Any:
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
