"""How is what was asked of a projection read, again and again?"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from itertools import count
from typing import Any

from app.db.database import Database
from app.db.projections.statements import Builder, Declined, Paged
from app.db.reads import Prepared, Query
from app.db.rows import Select
from app.domain import paging

# Of all documents together, about ten kilobytes each. One that was given up takes a few milliseconds again.
MOST_STATEMENTS = 300

Arguments = Callable[[Any], Mapping[str, Any]]
Build = Callable[[Builder], Select]


class Statements:
    """The statements of one place of a document: for each set of pages after a cursor, and list asked for."""

    _kept: OrderedDict[Hashable, tuple[Prepared, Sequence[Paged]]] = OrderedDict()  # noqa: RUF012 - one for all
    _numbers = count()

    def __init__(self) -> None:
        self._number = next(self._numbers)

    def read(
        self,
        database: Database,
        build: Build,
        pages: Sequence[paging.Page],
        *,
        of: Hashable = None,
        **values: Any,
    ) -> Awaitable[list[str | None]]:
        """JSON texts. ``of`` says which statement it is, where ``build`` may be of several.

        Raises InvalidInput.
        """
        after = tuple([page.after is not None for page in pages])
        prepared, paged = self._statement(database, build, of, after)
        for page, wanted in zip(paged, pages, strict=True):
            values.update(page.lists.values_beneath(wanted, name=page.name))
            values[f"{page.name}shown"] = wanted.size
            if not page.looks_further:
                values[f"{page.name}size"] = wanted.size
        return _first_column(database, prepared, values)

    def _statement(
        self, database: Database, build: Build, of: Hashable, after: tuple[bool, ...]
    ) -> tuple[Prepared, Sequence[Paged]]:
        key = (self._number, of, after)
        known = self._kept.get(key)
        if known is None:
            builder = Builder(after.__getitem__)
            known = self._kept[key] = database.prepared(Query(build(builder))), builder.pages
            if len(self._kept) > MOST_STATEMENTS:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return known


async def _first_column(
    database: Database, prepared: Prepared, values: Mapping[str, Any]
) -> list[str | None]:
    return [row[0] for row in await database.found(prepared, values)]


def pages_of(paged: Sequence[Paged], arguments: Arguments) -> list[paging.Page] | None:
    """Which page is asked for at each place; None where it is one from a list's end. Raises InvalidInput."""
    found = []
    for each in paged:
        asked = arguments(each.asked.field)
        page = paging.page(
            order=each.lists.order,
            first=asked.get("first"),
            after=asked.get("after"),
            last=asked.get("last"),
            before=asked.get("before"),
        )
        if page.backward or page.before is not None:
            return None
        found.append(page)
    return found


def survey(build: Build) -> Sequence[Paged] | None:
    """The pages in what is asked for; None where not all of it can be shown."""
    builder = Builder()
    try:
        build(builder)
    except Declined:
        return None
    return builder.pages
