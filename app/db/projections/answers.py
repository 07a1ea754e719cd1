"""How is what was asked of a projection read, again and again?"""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any

from app.db.database import Database
from app.db.projections.statements import Builder, Declined, Paged
from app.db.reads import Query
from app.db.rows import Select
from app.domain import paging

# Statements of one place of a document: for each set of pages that begin after a cursor, and list asked for.
MOST_STATEMENTS = 16

Arguments = Callable[[Any], Mapping[str, Any]]
Build = Callable[[Builder], Select]


class Statements:
    """The statements of one place of a document."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[Query, Sequence[Paged]]] = {}

    def read(
        self,
        database: Database,
        build: Build,
        pages: Sequence[paging.Page],
        *,
        of: Hashable = None,
        **values: Any,
    ) -> Awaitable[list[str | None]] | None:
        """JSON texts; None where it would be one statement too many to keep. Raises InvalidInput.

        ``of`` says which statement it is, where ``build`` may be of several.
        """
        after = tuple([page.after is not None for page in pages])
        known = self._known.get((of, after))
        if known is None:
            if len(self._known) == MOST_STATEMENTS:
                return None
            builder = Builder(after.__getitem__)
            known = Query(build(builder)), builder.pages
            self._known[of, after] = known
        query, paged = known
        for page, wanted in zip(paged, pages, strict=True):
            values.update(page.lists.values_beneath(wanted, name=page.name))
            values[f"{page.name}shown"] = wanted.size
            if not page.looks_further:
                values[f"{page.name}size"] = wanted.size
        return _first_column(database, query, values)


async def _first_column(database: Database, query: Query, values: Mapping[str, Any]) -> list[str | None]:
    return [row[0] for row in await database.rows(query, **values)]


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
