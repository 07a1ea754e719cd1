"""Packages, versions and authors by id, and what hangs on them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, tuple_
from strawberry.dataloader import DataLoader

from app.dataloaders.by_id import rows_by_id
from app.dataloaders.lists import counts_by_parent, lists_by_parent, pages_by_parent
from app.db.database import Database
from app.db.models import (
    Author,
    Package,
    PackageCategory,
    PackageFile,
    PackageTag,
    PackageVersion,
    Purchase,
)
from app.db.repositories.authors import AUTHOR
from app.db.repositories.catalog import LISTED, PACKAGE, SORT_KEYS, VERSION
from app.domain.lifecycle import VersionStatus
from app.domain.listing import PackageSort
from app.domain.purchases import PurchaseStatus

FILE: tuple[Any, ...] = (
    PackageFile.id,
    PackageFile.version_id,
    PackageFile.path,
    PackageFile.media_type,
    PackageFile.size_bytes,
    PackageFile.sha256,
)
VERSION_ORDER = "versions"
AUTHORED_ORDER = "authored"
LISTED_ORDER = PackageSort.NEWEST
NEWEST_VERSION = [(PackageVersion.sort_key, True), (PackageVersion.id, True)]
_RELEASE = PackageVersion.sort_key.contains("~", autoescape=True)


class CatalogLoaders:
    """``listed_*`` have what everybody sees of an author, ``all_*`` what the author sees."""

    def __init__(self, database: Database) -> None:
        self.packages = rows_by_id(database, select(*PACKAGE), Package.id)
        self.descriptions = rows_by_id(database, select(Package.id, Package.description), Package.id)
        self.readmes = rows_by_id(database, select(Package.id, Package.readme), Package.id)
        self.authors = rows_by_id(database, select(*AUTHOR), Author.id)
        self.versions = rows_by_id(database, select(*VERSION), PackageVersion.id)
        self.latest_versions = _latest_versions(database)
        self.version_pages = pages_by_parent(
            database, select(*VERSION), PackageVersion.package_id, keys=NEWEST_VERSION, order=VERSION_ORDER
        )
        self.version_counts = counts_by_parent(
            database, select(func.count(PackageVersion.id)), PackageVersion.package_id
        )
        self.files = lists_by_parent(
            database, select(*FILE).order_by(PackageFile.position), PackageFile.version_id
        )
        self.categories = lists_by_parent(
            database,
            select(PackageCategory.category).order_by(PackageCategory.category),
            PackageCategory.package_id,
        )
        self.tags = lists_by_parent(
            database, select(PackageTag.tag).order_by(PackageTag.tag), PackageTag.package_id
        )
        self._add_packages_of_authors(database)
        self.owned = _owned(database)

    def _add_packages_of_authors(self, database: Database) -> None:
        newest = SORT_KEYS[PackageSort.NEWEST]
        every, listed = select(*PACKAGE), select(*PACKAGE).where(LISTED)
        count = select(func.count(Package.id))
        self.all_pages = pages_by_parent(
            database, every, Package.author_id, keys=[(Package.id, True)], order=AUTHORED_ORDER
        )
        self.listed_pages = pages_by_parent(
            database, listed, Package.author_id, keys=newest, order=LISTED_ORDER
        )
        self.all_counts = counts_by_parent(database, count, Package.author_id)
        self.listed_counts = counts_by_parent(database, count.where(LISTED), Package.author_id)


def _latest_versions(database: Database) -> DataLoader[UUID, Row[Any] | None]:
    """The highest version that is not yanked; a prerelease only where there is no release.

    Who asks for the latest wants what its author calls finished; 2.0.0-beta.1 is above 1.9.0 only by number.
    """
    place = func.row_number().over(
        partition_by=PackageVersion.package_id, order_by=[_RELEASE.desc(), PackageVersion.sort_key.desc()]
    )
    ranked = select(*VERSION, place.label("place")).where(PackageVersion.status == VersionStatus.PUBLISHED)

    async def load(ids: list[UUID]) -> list[Row[Any] | None]:
        rows = ranked.where(PackageVersion.package_id.in_(ids)).subquery()
        async with database.read() as connection:
            found = (await connection.execute(select(rows).where(rows.c.place == 1))).all()
        latest = {row.package_id: row for row in found}
        return [latest.get(each) for each in ids]

    return DataLoader(load_fn=load)


def _owned(database: Database) -> DataLoader[tuple[UUID, UUID], bool]:
    """Whether the user of (user, package) has bought the package and not given it back."""

    async def load(pairs: list[tuple[UUID, UUID]]) -> list[bool]:
        statement = select(Purchase.user_id, Purchase.package_id).where(
            tuple_(Purchase.user_id, Purchase.package_id).in_(pairs),
            Purchase.status == PurchaseStatus.COMPLETED,
        )
        async with database.read() as connection:
            owned = {tuple(row) for row in (await connection.execute(statement)).all()}
        return [pair in owned for pair in pairs]

    return DataLoader(load_fn=load)
