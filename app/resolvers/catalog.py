"""The catalogue: one package, lists of them, categories."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.db.repositories import catalog, facets
from app.domain import slugs
from app.domain.errors import InvalidInput
from app.domain.listing import Criteria, PackageFilter
from app.domain.paging import page
from app.domain.search import question
from app.schema.catalog import Author, Category, Package, PackageVersion, sees_all_of
from app.schema.enums import PackageSort, PackageStatus
from app.schema.package_filter import PackageFilterInput
from app.schema.package_lists import PackageConnection, PackageFacets, facet_counts
from app.schema.paging import After, Before, First, Last

Request = Info[Context, None]
Part = TypeVar("Part")
Slug = Annotated[str, strawberry.argument(description="The package's name in addresses.")]
Query = Annotated[
    str | None,
    strawberry.argument(
        description="Words that must all be found, up to 200 characters. The last one may be unfinished; a "
        "word that no package has is read as the nearest one that some have."
    ),
]
Filter = Annotated[
    PackageFilterInput | None, strawberry.argument(description="Which of them; all unless given.")
]
Sort = Annotated[PackageSort, strawberry.argument(description="In which order.")]


async def package(info: Request, slug: Slug) -> Package | None:
    try:
        known = slugs.slug(slug)
    except InvalidInput:
        return None
    rows = await info.context.deps.database.rows(catalog.BY_SLUG, slug=known)
    return (await _visible(info.context, [Package.from_row(rows[0])]))[0] if rows else None


async def packages(
    info: Request,
    query: Query = None,
    filter: Filter = None,
    sort: Sort = PackageSort.RELEVANCE,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> PackageConnection:
    database = info.context.deps.database
    asked = Criteria(filter=filter.rule() if filter else PackageFilter(), question=question(query))
    order = catalog.effective_sort(asked, sort)
    wanted = page(order=order, first=first, after=after, last=last, before=before)
    criteria = asked
    if asked.question is not None:
        async with database.read() as connection:
            criteria = await catalog.understand(connection, asked)
    found = await catalog.page_of(database, criteria, sort=order, page=wanted)

    async def count(lists: list[Any]) -> list[int]:
        async with database.read() as connection:
            return [await catalog.count(connection, criteria)] * len(lists)

    async def grouped() -> PackageFacets:
        async with database.read() as connection:
            groups = await facets.facets(connection, criteria)
        return PackageFacets(**{name: facet_counts(pairs) for name, pairs in groups.items()})

    return PackageConnection.of(found, Package.from_row, count=count, grouped=grouped)


async def categories(info: Request) -> list[Category]:
    async with info.context.deps.database.read() as connection:
        rows = await catalog.categories(connection)
    return [Category(slug=row.slug, name=row.name, package_count=row.package_count) for row in rows]


async def load_packages(context: Context, ids: list[UUID]) -> list[Package | None]:
    rows = await context.loaders.catalog.packages(ids)
    return await _visible(context, [Package.from_row(row) if row else None for row in rows])


async def load_versions(context: Context, ids: list[UUID]) -> list[PackageVersion | None]:
    rows = await context.loaders.catalog.versions(ids)
    return await load_parts(context, rows, PackageVersion.from_row)


async def load_parts(context: Context, rows: Sequence[Any], wrap: Callable[[Any], Part]) -> list[Part | None]:
    """What belongs to packages, the column ``package_id``: whoever sees the package sees it."""
    packages = await load_packages(context, [row.package_id for row in rows if row])
    seen = {package.package_id for package in packages if package}
    return [wrap(row) if row and row.package_id in seen else None for row in rows]


async def load_authors(context: Context, ids: list[UUID]) -> list[Author | None]:
    rows = await context.loaders.catalog.authors(ids)
    return [Author.from_row(row) if row else None for row in rows]


async def _visible(context: Context, packages: list[Package | None]) -> list[Package | None]:
    """A draft is there for its author and staff only."""
    drafts = [package for package in packages if package and package.status is PackageStatus.DRAFT]
    authors = await context.loaders.catalog.authors([draft.author_id for draft in drafts])
    hidden = {
        draft.package_id
        for draft, author in zip(drafts, authors, strict=True)
        if author is None or not sees_all_of(context, author.user_id)
    }
    return [package if package and package.package_id not in hidden else None for package in packages]
