"""Which fields does PostgreSQL answer for, with all that is selected below them?

Only where nobody could be refused anything of it: who may ask is found out here as the resolvers would, and
whatever is not plain is left to them, errors included.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from strawberry.utils.str_converters import to_snake_case

from app.context import Context
from app.dataloaders import projections
from app.db.database import Database
from app.db.projections import Asked, Builder, Child, Page, Paged, Statements, pages_of, survey
from app.db.repositories import catalog
from app.domain.listing import Criteria, PackageFilter, PackageSort
from app.engine.executor import READY, Ready
from app.schema.access import may_read
from app.schema.package_filter import PackageFilterInput
from app.schema.permissions import Access

EVERY = PackageFilter()
Answer = Callable[[Sequence[Any], Context, Callable[[Any], Mapping[str, Any]]], Awaitable[list[Any]] | None]
Prepare = Callable[[Asked], Answer | None]
Ids = Callable[[Sequence[Any], Context], list[UUID] | None]


def by_database(shown: Child | Page, ids: Ids) -> Mapping[str, Prepare]:
    """A field's metadata: what is ``shown`` of each parent's id; without ``ids`` the resolver answers."""
    return {READY: partial(_of_ids, shown, ids)}


def guarded(prepare: Prepare, access: Access) -> Mapping[str, Prepare]:
    """A root field's metadata: whom ``access`` does not admit is refused by its guard."""

    def prepare_guarded(asked: Asked) -> Answer | None:
        answer = prepare(asked)
        if answer is None:
            return None
        return lambda parents, context, arguments: (
            answer(parents, context, arguments) if access.admits(context.viewer) else None
        )

    return {READY: prepare_guarded}


def own_ids(users: Sequence[Any], context: Context) -> list[UUID] | None:
    """Of accounts whose books the viewer may read."""
    ids = [user.user_id for user in users]
    return ids if all(may_read(context.viewer, each) for each in ids) else None


def viewer(asked: Asked) -> Answer | None:
    """The account that asks."""
    return _of_ids(projections.USER_BY_ID, lambda _, context: [context.me.user_id], asked)


def packages(asked: Asked) -> Answer | None:
    """A page of the catalogue, when nothing is searched for."""

    def build(
        builder: Builder, which: PackageFilter = EVERY, sort: PackageSort = PackageSort.DOWNLOADS
    ) -> Any:
        return builder.of_list(asked, catalog.listed_without_question(which, sort), projections.PACKAGE)

    paged, statements = survey(build), Statements()
    if paged is None:
        return None

    def answer(_: Sequence[Any], context: Context, arguments: Any) -> Awaitable[list[Any]] | None:
        given = arguments(asked.field)
        if not _answers(context.deps.database) or given.get("query") is not None:
            return None
        which, sort = _filter(given.get("filter")), catalog.effective_sort(Criteria(), given["sort"])
        first = Paged(asked, catalog.listed_without_question(which, sort))
        pages = pages_of([first, *paged[1:]], arguments)
        ask = partial(build, which=which, sort=sort)
        if pages is None:
            return None
        return _ready(statements.read(context.deps.database, ask, pages, of=(which, sort)))

    return answer


def _of_ids(shown: Child | Page, ids: Ids, asked: Asked) -> Answer | None:
    def build(builder: Builder) -> Any:
        return builder.of_ids(asked, shown)

    paged, statements = survey(build), Statements()
    if paged is None:
        return None

    def answer(parents: Sequence[Any], context: Context, arguments: Any) -> Awaitable[list[Any]] | None:
        if not _answers(context.deps.database) or (keys := ids(parents, context)) is None:
            return None
        pages = pages_of(paged, arguments)
        if pages is None:
            return None
        return _ready(statements.read(context.deps.database, build, pages, ids=keys))

    return answer


def _answers(database: Database) -> bool:
    return database.dialect == "postgresql"


def _filter(given: Mapping[str, Any] | None) -> PackageFilter:
    """Raises InvalidInput."""
    return PackageFilterInput(**{to_snake_case(name): value for name, value in (given or {}).items()}).rule()


def _ready(texts: Awaitable[list[str | None]] | None) -> Awaitable[list[Ready | None]] | None:
    return None if texts is None else _made_ready(texts)


async def _made_ready(texts: Awaitable[list[str | None]]) -> list[Ready | None]:
    return [None if text is None else Ready(text) for text in await texts]
