"""The catalogue: packages, their versions and files, authors, categories."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.dataloaders.catalog import AUTHORED_ORDER, LISTED_ORDER, VERSION_ORDER, CatalogLoaders
from app.domain import reviews, slugs
from app.domain.api_keys import Scope
from app.domain.paging import page
from app.gateways import markdown
from app.schema.access import may_read
from app.schema.connections import Connection
from app.schema.enums import PackageStatus, VersionStatus
from app.schema.money import Money
from app.schema.node import Node, global_id
from app.schema.paging import After, Before, First, Last
from app.schema.reviews import Reviewed
from app.schema.scalars import BigInt

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


@strawberry.type(description="One version of a package.")
class PackageVersion(Node):
    version: str = strawberry.field(description="A semantic version, such as 1.2.3.")
    changelog: str = strawberry.field(description="What is new, in Markdown; may be empty.")
    status: VersionStatus = strawberry.field(description="Whether it is to be had.")
    yank_reason: str | None = strawberry.field(description="Why its author took it back.")
    published_at: datetime = strawberry.field(description="When it appeared.")
    yanked_at: datetime | None = strawberry.field(description="When it was taken back.")
    version_id: strawberry.Private[UUID]
    package_id: strawberry.Private[UUID]

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "PackageVersion":
        return super().from_row(row, version_id=row.id, status=VersionStatus(row.status), **given)

    @strawberry.field(
        description="Its files; the first is what a download gives unless another is asked for."
    )
    async def files(self, info: Request) -> list[PackageFile]:
        return [PackageFile.from_row(row) for row in await loaders(info).files.load(self.version_id)]

    @strawberry.field(description="The package that it is a version of.")
    async def package(self, info: Request) -> "Package":
        return Package.from_row(await loaders(info).packages.load(self.package_id))


@strawberry.type(description="What is sold or given away: a template, a theme, a pack.")
class Package(Reviewed, Node):
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

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "Package":
        return super().from_row(
            row,
            package_id=row.id,
            price=Money(amount_cents=BigInt(row.price_cents), currency=row.currency),
            rating=reviews.average(row.rating_sum, row.rating_count),
            status=PackageStatus(row.status),
            **given,
        )

    @strawberry.field(description="What it is, in its author's words; may hold Markdown and be long.")
    async def description(self, info: Request) -> str:
        return await self._description(info)

    @strawberry.field(description="The description in at most 200 characters on one line, without Markdown.")
    async def summary(self, info: Request) -> str:
        return slugs.summary(await self._description(info))

    async def _description(self, info: Request) -> str:
        row = await loaders(info).descriptions.load(self.package_id)
        return str(row.description) if row else ""

    @strawberry.field(description="How it is used, in Markdown; null where its author wrote nothing.")
    async def readme(self, info: Request) -> str | None:
        row = await loaders(info).readmes.load(self.package_id)
        return row.readme if row else None

    @strawberry.field(
        description="The readme's first 100,000 characters as HTML that is safe to show: without scripts, "
        'styles and forms; links carry rel="nofollow noopener". Null where there is no readme.'
    )
    async def readme_html(self, info: Request) -> str | None:
        row = await loaders(info).readmes.load(self.package_id)
        return await markdown.html(row.readme) if row and row.readme else None

    @strawberry.field(description="The slugs of the groups it is in, as `categories` lists them.")
    async def categories(self, info: Request) -> list[str]:
        return [row.category for row in await loaders(info).categories.load(self.package_id)]

    @strawberry.field(description="Words that describe it, in the order of the alphabet.")
    async def tags(self, info: Request) -> list[str]:
        return [row.tag for row in await loaders(info).tags.load(self.package_id)]

    @strawberry.field(description="Who publishes it.")
    async def author(self, info: Request) -> "Author":
        return Author.from_row(await loaders(info).authors.load(self.author_id))

    @strawberry.field(description="Its versions, the highest first; those taken back included.")
    async def versions(
        self,
        info: Request,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[PackageVersion]:
        wanted = page(order=VERSION_ORDER, first=first, after=after, last=last, before=before)
        found = await loaders(info).version_pages.load((self.package_id, wanted))

        async def count() -> int:
            return await loaders(info).version_counts.load(self.package_id)

        return Connection[PackageVersion].of(found, PackageVersion.from_row, count=count)

    @strawberry.field(
        description="The highest version that is to be had; a prerelease only where there is no release."
    )
    async def latest_version(self, info: Request) -> PackageVersion | None:
        row = await loaders(info).latest_versions.load(self.package_id)
        return PackageVersion.from_row(row) if row else None

    @strawberry.field(description="Whether the account that asks, with the scope READ, has bought it.")
    async def viewer_owns(self, info: Request) -> bool:
        viewer = info.context.viewer
        if viewer is None or not viewer.may(Scope.READ):
            return False
        return await loaders(info).owned.load((viewer.user_id, self.package_id))


@strawberry.type(description="One page of an author's packages.")
class AuthoredPackageConnection(Connection[Package]):
    pass


@strawberry.type(description="Who publishes packages.")
class Author(Node):
    username: str = strawberry.field(description="The public name.")
    created_at: datetime = strawberry.field(description="When the first package came.")
    author_id: strawberry.Private[UUID]
    user_id: strawberry.Private[UUID | None]

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "Author":
        return super().from_row(row, author_id=row.id, **given)

    @strawberry.field(
        description="The packages that are listed, the newest first; to the author and to staff, all of them."
    )
    async def packages(
        self,
        info: Request,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AuthoredPackageConnection:
        every = sees_all_of(info.context, self.user_id)
        order = AUTHORED_ORDER if every else LISTED_ORDER
        wanted = page(order=order, first=first, after=after, last=last, before=before)
        pages = loaders(info).all_pages if every else loaders(info).listed_pages
        counts = loaders(info).all_counts if every else loaders(info).listed_counts

        async def count() -> int:
            return await counts.load(self.author_id)

        found = await pages.load((self.author_id, wanted))
        return AuthoredPackageConnection.of(found, Package.from_row, count=count)


def sees_all_of(context: Context, user_id: UUID | None) -> bool:
    """Whether the viewer sees an author's drafts: the author, or staff. An imported author is nobody."""
    viewer = context.viewer
    if user_id is None:
        return viewer is not None and viewer.is_staff and viewer.may(Scope.READ)
    return may_read(viewer, user_id)
