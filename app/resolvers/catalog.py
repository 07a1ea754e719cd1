"""The catalogue: one package, lists of them, categories."""

from typing import Annotated
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
from app.schema.package_lists import PackageConnection, PackageFacets, PackageFilterInput, facet_counts
from app.schema.paging import After, Before, First, Last

Request = Info[Context, None]
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
    async with info.context.deps.database.read() as connection:
        row = await catalog.by_slug(connection, known)
    return await _visible(info.context, Package.from_row(row)) if row else None


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
    async with database.read() as connection:
        criteria = await catalog.understand(connection, asked)
        found = await catalog.page_of(connection, criteria, sort=order, page=wanted)

    async def count() -> int:
        async with database.read() as connection:
            return await catalog.count(connection, criteria)

    async def grouped() -> PackageFacets:
        async with database.read() as connection:
            groups = await facets.facets(connection, criteria)
        return PackageFacets(**{name: facet_counts(pairs) for name, pairs in groups.items()})

    return PackageConnection.of(found, Package.from_row, count=count, grouped=grouped)


async def categories(info: Request) -> list[Category]:
    async with info.context.deps.database.read() as connection:
        rows = await catalog.categories(connection)
    return [Category(slug=row.slug, name=row.name, package_count=row.package_count) for row in rows]


async def load_package(context: Context, package_id: UUID) -> Package | None:
    row = await context.loaders.catalog.packages.load(package_id)
    return await _visible(context, Package.from_row(row)) if row else None


async def load_version(context: Context, version_id: UUID) -> PackageVersion | None:
    row = await context.loaders.catalog.versions.load(version_id)
    if row is None or await load_package(context, row.package_id) is None:
        return None
    return PackageVersion.from_row(row)


async def load_author(context: Context, author_id: UUID) -> Author | None:
    row = await context.loaders.catalog.authors.load(author_id)
    return Author.from_row(row) if row else None


async def _visible(context: Context, package: Package) -> Package | None:
    """A draft is there for its author and staff only."""
    if package.status is not PackageStatus.DRAFT:
        return package
    author = await context.loaders.catalog.authors.load(package.author_id)
    return package if author and sees_all_of(context, author.user_id) else None
