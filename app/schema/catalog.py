"""The catalogue: packages, their versions and files, authors, categories."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.dataloaders import projections
from app.dataloaders.catalog import AUTHORED_ORDER, LISTED_ORDER, VERSION_ORDER, CatalogLoaders
from app.domain import reviews, slugs
from app.domain.api_keys import Scope
from app.domain.errors import InvalidInput
from app.engine.strawberry_schema import batched
from app.gateways import markdown
from app.schema.access import may_read
from app.schema.author_books import AuthorBooks
from app.schema.connections import Connection, paged
from app.schema.enums import PackageStatus, VersionStatus
from app.schema.money import Money
from app.schema.node import Node, global_id
from app.schema.paging import After, Before, First, Last
from app.schema.ready import by_database
from app.schema.reviews import Reviewed
from app.schema.scalars import BigInt
from app.schema.views import View, view

Request = Info[Context, None]


def loaders(info: Request) -> CatalogLoaders:
    return info.context.loaders.catalog


@strawberry.type(description="A group of packages.")
class Category:
    slug: str = strawberry.field(description="Its name in addresses and filters.")
    name: str = strawberry.field(description="Its name for people.")
    package_count: int = strawberry.field(description="How many packages are listed in it.")


@strawberry.type(description="One file of a version; `createDownload` gives a link to it.")
class PackageFile:
    id: strawberry.ID = strawberry.field(description="Opaque.")
    path: str = strawberry.field(description="Its place in the version.")
    media_type: str = strawberry.field(description="Its media type, as its author said.")
    size_bytes: BigInt = strawberry.field(description="How long it is.")
    sha256: str = strawberry.field(description="Of its bytes, as 64 hexadecimal digits.")

    @classmethod
    def from_row(cls, row: Any) -> "PackageFile":
        return cls(
            id=global_id("PackageFile", row.id),
            path=row.path,
            media_type=row.media_type,
            size_bytes=BigInt(row.size_bytes),
            sha256=row.sha256,
        )


async def load_files(versions: Sequence["PackageVersion"], info: Request) -> list[list[PackageFile]]:
    found = await loaders(info).files([version.version_id for version in versions])
    return [list(map(PackageFile.from_row, rows)) for rows in found]


async def load_packages(versions: Sequence["PackageVersion"], info: Request) -> list["Package"]:
    rows = await loaders(info).packages([version.package_id for version in versions])
    return list(map(Package.from_row, rows))


@view(version_id=attrgetter("id"), status=lambda row: VersionStatus(row.status))
@strawberry.type(description="One version of a package.")
class PackageVersion(View, Node):
    version: str = strawberry.field(description="A semantic version, such as 1.2.3.")
    changelog: str = strawberry.field(description="What is new, in Markdown; may be empty.")
    status: VersionStatus = strawberry.field(description="Whether it is to be had.")
    yank_reason: str | None = strawberry.field(description="Why its author took it back.")
    published_at: datetime = strawberry.field(description="When it appeared.")
    yanked_at: datetime | None = strawberry.field(description="When it was taken back.")
    version_id: strawberry.Private[UUID]
    package_id: strawberry.Private[UUID]

    files: list[PackageFile] = batched(
        load_files,
        description="Its files; the first is what a download gives unless another is asked for.",
    )
    package: "Package" = batched(load_packages, description="The package that it is a version of.")


Packages = Sequence["Package"]


def _ids(packages: Packages) -> list[UUID]:
    return [package.package_id for package in packages]


async def load_descriptions(packages: Packages, info: Request) -> list[str]:
    rows = await loaders(info).descriptions(_ids(packages))
    return [row.description if row else "" for row in rows]


async def load_summaries(packages: Packages, info: Request) -> list[str]:
    return list(map(slugs.summary, await load_descriptions(packages, info)))


async def load_readmes(packages: Packages, info: Request) -> list[str | None]:
    rows = await loaders(info).readmes(_ids(packages))
    return [row.readme if row else None for row in rows]


async def load_rendered_readmes(packages: Packages, info: Request) -> list[str | None]:
    readmes = await load_readmes(packages, info)
    return [await markdown.html(readme) if readme else None for readme in readmes]


async def load_categories(packages: Packages, info: Request) -> list[list[str]]:
    found = await loaders(info).categories(_ids(packages))
    return [[row.category for row in rows] for rows in found]


async def load_tags(packages: Packages, info: Request) -> list[list[str]]:
    found = await loaders(info).tags(_ids(packages))
    return [[row.tag for row in rows] for rows in found]


async def load_authors(packages: Packages, info: Request) -> list["Author"]:
    rows = await loaders(info).authors([package.author_id for package in packages])
    return list(map(Author.from_row, rows))


async def load_latest_versions(packages: Packages, info: Request) -> list[PackageVersion | None]:
    rows = await loaders(info).latest_versions(_ids(packages))
    return [PackageVersion.from_row(row) if row else None for row in rows]


async def load_owned(packages: Packages, info: Request) -> list[bool]:
    viewer = info.context.viewer
    if viewer is None or not viewer.may(Scope.READ):
        return [False] * len(packages)
    return await loaders(info).owned([(viewer.user_id, each) for each in _ids(packages)])


@view(
    package_id=attrgetter("id"),
    price=lambda row: Money(amount_cents=BigInt(row.price_cents), currency=row.currency),
    rating=lambda row: reviews.average(row.rating_sum, row.rating_count),
    status=lambda row: PackageStatus(row.status),
)
@strawberry.type(description="What is sold or given away: a template, a theme, a pack.")
class Package(View, Reviewed, Node):
    slug: str = strawberry.field(description="Its name in addresses, unique and for good.")
    name: str = strawberry.field(description="Its name for people.")
    license: str = strawberry.field(description="What buyers may do with it, such as MIT.")
    price: Money = strawberry.field(description="What it costs; 0 is free.")
    downloads: BigInt = strawberry.field(description="How often it was downloaded.")
    rating: float | None = strawberry.field(description="The average stars, 1 to 5; null without any review.")
    rating_count: int = strawberry.field(description="How many reviews there are.")
    status: PackageStatus = strawberry.field(description="Whether it is to be had.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    published_at: datetime | None = strawberry.field(
        description="When it was first listed; null for a draft."
    )
    package_id: strawberry.Private[UUID]
    author_id: strawberry.Private[UUID]

    description: str = batched(
        load_descriptions, description="What it is, in its author's words; may hold Markdown and be long."
    )
    summary: str = batched(
        load_summaries,
        description="The description in at most 200 characters on one line, without Markdown.",
    )
    readme: str | None = batched(
        load_readmes, description="How it is used, in Markdown; null where its author wrote nothing."
    )
    readme_html: str | None = batched(
        load_rendered_readmes,
        description="The readme's first 100,000 characters as HTML that is safe to show: without scripts, "
        'styles and forms; links carry rel="nofollow noopener". Null where there is no readme.',
    )
    categories: list[str] = batched(
        load_categories, description="The slugs of the groups it is in, as `categories` lists them."
    )
    tags: list[str] = batched(load_tags, description="Words that describe it, in the order of the alphabet.")
    author: "Author" = batched(load_authors, description="Who publishes it.")
    versions: Connection[PackageVersion] = batched(
        paged(
            Connection[PackageVersion],
            PackageVersion.from_row,
            of="package_id",
            pages=lambda loaders: loaders.catalog.version_pages,
            counts=lambda loaders: loaders.catalog.version_counts,
            order=VERSION_ORDER,
        ),
        metadata=by_database(projections.VERSIONS, lambda packages, _: _ids(packages)),
        description="Its versions, the highest first; those taken back included.",
    )
    latest_version: PackageVersion | None = batched(
        load_latest_versions,
        description="The highest version that is to be had; a prerelease only where there is no release.",
    )
    viewer_owns: bool = batched(
        load_owned, description="Whether the account that asks, with the scope READ, has bought it."
    )


@strawberry.type(description="One page of an author's packages.")
class AuthoredPackageConnection(Connection[Package]):
    pass


_load_all = paged(
    AuthoredPackageConnection,
    Package.from_row,
    of="author_id",
    pages=lambda loaders: loaders.catalog.all_pages,
    counts=lambda loaders: loaders.catalog.all_counts,
    order=AUTHORED_ORDER,
)
_load_listed = paged(
    AuthoredPackageConnection,
    Package.from_row,
    of="author_id",
    pages=lambda loaders: loaders.catalog.listed_pages,
    counts=lambda loaders: loaders.catalog.listed_counts,
    order=LISTED_ORDER,
)


async def load_authored(
    authors: Sequence["Author"],
    info: Request,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> list[Any]:
    seen_whole = [sees_all_of(info.context, author.user_id) for author in authors]
    found: dict[UUID, Any] = {}
    for load, whole in ((_load_all, True), (_load_listed, False)):
        some = [author for author, each in zip(authors, seen_whole, strict=True) if each is whole]
        try:
            given: list[Any] = await load(some, info, first, after, last, before) if some else []
        except InvalidInput as error:  # of these: the cursor may be one of the others' lists
            given = [error] * len(some)
        found.update(zip((author.author_id for author in some), given, strict=True))
    return [found[author.author_id] for author in authors]


def _ids_of_others(authors: Sequence["Author"], context: Context) -> list[UUID] | None:
    """None where the viewer sees more of one of them than is listed."""
    if any(sees_all_of(context, author.user_id) for author in authors):
        return None
    return [author.author_id for author in authors]


@view(author_id=attrgetter("id"))
@strawberry.type(description="Who publishes packages.")
class Author(View, AuthorBooks, Node):
    username: str = strawberry.field(description="The public name.")
    created_at: datetime = strawberry.field(description="When the first package came.")

    packages: AuthoredPackageConnection = batched(
        load_authored,
        metadata=by_database(projections.LISTED_PACKAGES, _ids_of_others),
        description="The packages that are listed, the newest first; "
        "to the author and to staff, all of them.",
    )


def sees_all_of(context: Context, user_id: UUID | None) -> bool:
    """Whether the viewer sees an author's drafts: the author, or staff. An imported author is nobody."""
    viewer = context.viewer
    if user_id is None:
        return viewer is not None and viewer.is_staff and viewer.may(Scope.READ)
    return may_read(viewer, user_id)
