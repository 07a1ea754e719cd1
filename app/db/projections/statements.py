"""How does what is asked of a projection become one statement?

No part of a request stands in it but the response keys, which are names: letters, digits and ``_``. Cursors,
sizes and ids are given when it is asked.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Integer, Uuid, case, func, literal_column, select

from app.db.projections.fields import Child, Page, Part, Projection, Shown
from app.db.projections.written import cursor
from app.db.reads import Listed, given
from app.db.repositories.keyset import PagedList
from app.db.rows import Select

# A function of PostgreSQL takes a hundred arguments.
MOST_KEYS = 50
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*", re.ASCII)
_PLACES: ColumnElement[Any] = literal_column("*, row_number() OVER () AS place, count(*) OVER () AS found")
_EMPTY: ColumnElement[Any] = literal_column("'[]'::json")

Parent = ColumnElement[Any] | None


class Asked(Protocol):
    """A field of the response; ``below`` is None for leaves, ``field`` tells its arguments."""

    @property
    def field(self) -> Any: ...
    @property
    def key(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def typename(self) -> str: ...
    @property
    def below(self) -> "Sequence[Asked] | None": ...


class Declined(Exception):
    """Something is asked for that projections do not show."""


class Paged:
    """A page within a statement. Its values are given under names that begin with ``name``."""

    def __init__(self, asked: Any, lists: PagedList, name: str = "") -> None:
        self.asked = asked
        self.lists = lists
        self.name = name
        self.looks_further = any(each.name == "pageInfo" for each in asked.below)


class Builder:
    """Of one statement. ``after`` says of each page in turn whether it begins after a cursor."""

    def __init__(self, after: Callable[[int], bool] = lambda _: False) -> None:
        self.after = after
        self.pages: list[Paged] = []
        self._rows = 0

    def of_ids(self, asked: Asked, shown: Child | Page) -> Select:
        """One JSON for each of the ``ids`` that are given, in their order."""
        ids = func.unnest(given("ids", Listed(Uuid())))
        rows = ids.table_valued("id", with_ordinality="place", name="r0").render_derived(name="r0")
        made = self._shown(asked, shown, "r0")
        return select(made).select_from(rows).order_by(literal_column("r0.place"))

    def of_list(self, asked: Asked, lists: PagedList, shows: Projection) -> Select:
        """One JSON: a page of a list that belongs to nobody."""
        return select(self._page(asked, lists, shows, None))

    def _object(self, below: Sequence[Asked] | None, shows: Projection, row: str) -> ColumnElement[Any]:
        return _json([(asked.key, self._field(asked, shows, row)) for asked in below or ()])

    def _field(self, asked: Asked, shows: Projection, row: str) -> ColumnElement[Any]:
        if asked.name == "__typename":
            return _text(asked.typename)
        shown = shows.fields.get(asked.name)
        if shown is None:
            raise Declined
        return self._shown(asked, shown, row)

    def _shown(self, asked: Asked, shown: Shown, row: str) -> ColumnElement[Any]:
        if isinstance(shown, Part):
            return self._part(asked, shown, row)
        if isinstance(shown, Child):
            return self._child(asked, shown, row)
        if isinstance(shown, Page):
            parent = literal_column(f"{row}.{shown.parent}", Uuid())
            return self._page(asked, shown.lists, shown.shows(), parent)
        return literal_column(shown(row))

    def _part(self, asked: Asked, part: Part, row: str) -> ColumnElement[Any]:
        made = self._object(asked.below, part.shows, row)
        if part.unless_null is None:
            return made
        return case((literal_column(f"{row}.{part.unless_null}").is_not(None), made))

    def _child(self, asked: Asked, child: Child, row: str) -> ColumnElement[Any]:
        own = self._next_row()
        matching = child.rows.where(child.by == literal_column(f"{row}.{child.parent}", child.by.type))
        made = self._object(asked.below, child.shows(), own)
        return select(made).select_from(matching.subquery(own)).scalar_subquery()

    def _page(self, asked: Asked, lists: PagedList, shows: Projection, parent: Parent) -> ColumnElement[Any]:
        number, own = len(self.pages), self._next_row()
        page = Paged(asked, lists, f"p{number}_")
        self.pages.append(page)
        after = self.after(number)
        rows = lists.beneath(parent, after=after, name=page.name).subquery(own)
        if page.looks_further:
            # One row more than the page shows whether there are more.
            rows = select(_PLACES).select_from(rows).subquery(own)
        connection = _Connection(self, page, shows, own, of=parent, after=after)
        pairs = [(each.key, connection.field(each)) for each in asked.below or ()]
        # HAVING makes one row of the page's rows, also where none of the fields counts or lists them.
        return select(_json(pairs)).select_from(rows).having(literal_column("true")).scalar_subquery()

    def _next_row(self) -> str:
        self._rows += 1
        return f"r{self._rows}"


class _Connection:
    """The fields of one page, over its rows."""

    def __init__(
        self, builder: Builder, page: Paged, shows: Projection, row: str, *, of: Parent, after: bool
    ) -> None:
        self.builder = builder
        self.page = page
        self.shows = shows
        self.row = row
        self.parent = of
        self.begins_after = after
        write_cursor = cursor(page.lists.order, page.lists.cursor_columns())
        self.cursor: ColumnElement[Any] = literal_column(write_cursor(row))
        self.place = literal_column(f"{row}.place", Integer())
        self.shown = given(f"{page.name}shown", Integer())

    def field(self, asked: Asked) -> ColumnElement[Any]:
        if asked.name == "__typename":
            return _text(asked.typename)
        if asked.name == "edges":
            edge = _json([(each.key, self._of_edge(each)) for each in asked.below or ()])
            edges = func.json_agg(edge)
            listed = edges.filter(self.place <= self.shown) if self.page.looks_further else edges
            return func.coalesce(listed, _EMPTY)
        if asked.name == "pageInfo":
            return _json([(each.key, self._of_info(each)) for each in asked.below or ()])
        if asked.name == "totalCount":
            return self.page.lists.count(self.parent)
        raise Declined

    def _of_edge(self, asked: Asked) -> ColumnElement[Any]:
        if asked.name == "node":
            return self.builder._object(asked.below, self.shows, self.row)
        if asked.name == "cursor":
            return self.cursor
        return _text(asked.typename)

    def _of_info(self, asked: Asked) -> ColumnElement[Any]:
        if asked.name == "hasNextPage":
            return func.count() > self.shown
        if asked.name == "hasPreviousPage":
            return literal_column("true" if self.begins_after else "false")
        if asked.name == "startCursor":
            return func.max(self.cursor).filter(self.place == 1)
        if asked.name == "endCursor":
            last = func.least(self.shown, literal_column(f"{self.row}.found"))
            return func.max(self.cursor).filter(self.place == last)
        return _text(asked.typename)


def _json(pairs: Sequence[tuple[str, ColumnElement[Any]]]) -> ColumnElement[Any]:
    if len(pairs) > MOST_KEYS:
        raise Declined
    return func.json_build_object(*(part for key, value in pairs for part in (_text(key), value)))


def _text(name: str) -> ColumnElement[Any]:
    if not _NAME.fullmatch(name):
        raise Declined
    return literal_column(f"'{name}'")
