"""Packages that can be found, and the GraphQL surface without a server around it."""

from types import SimpleNamespace
from typing import Any, cast

from strawberry import Schema

from app.api import build_schema
from app.context import Context, Deps
from app.db.database import Database
from app.db.repositories import search
from app.domain.viewer import Viewer
from tests.support.factories import NOW, make_package

_schemas: list[Schema] = []


async def listed(database: Database, slug: str, **given: Any) -> SimpleNamespace:
    """A package that stands in the search index too."""
    package = await make_package(database, slug=slug, **given)
    async with database.transaction() as connection:
        await search.index(connection, package.id)
    return package


def context_of(database: Database, viewer: Viewer | None = None) -> Context:
    """For reads: of the process it has the database and nothing else."""

    deps = cast(Deps, SimpleNamespace(database=database))
    return Context(deps=deps, viewer=viewer, now=NOW, request_id="test")


async def ask(
    database: Database, document: str, *, viewer: Viewer | None = None, **variables: Any
) -> dict[str, Any]:
    """The data; fails on any error."""
    result = await schema().execute(
        document, variable_values=variables, context_value=context_of(database, viewer)
    )
    assert result.errors is None, result.errors
    assert result.data is not None
    return dict(result.data)


def schema() -> Schema:
    """One a process."""
    if not _schemas:
        _schemas.append(build_schema())
    return _schemas[0]
