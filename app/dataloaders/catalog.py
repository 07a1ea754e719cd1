"""Packages, versions and authors by id, and what hangs on them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from app.dataloaders.by_id import rows_by_id
from app.dataloaders.lists import counts_by_parent, lists_by_parent, pages_by_parent
from app.dataloaders.loader import LoaderGroup, loader
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
from app.db.reads import Query, among
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
_PACKAGES = select(func.count(Package.id))
_PLACE = func.row_number().over(
    partition_by=PackageVersion.package_id, order_by=[_RELEASE.desc(), PackageVersion.sort_key.desc()]
)
_RANKED = (
    select(*VERSION, _PLACE.label("place"))
    .where(PackageVersion.status == VersionStatus.PUBLISHED, among(PackageVersion.package_id, "packages"))
    .subquery()
)
_LATEST = Query(select(_RANKED).where(_RANKED.c.place == 1))
_OWNED = Query(
    select(Purchase.user_id, Purchase.package_id).where(
        among(Purchase.user_id, "users"),
        among(Purchase.package_id, "packages"),
        Purchase.status == PurchaseStatus.COMPLETED,
    )
)


class CatalogLoaders(LoaderGroup):
    """``listed_*`` have what everybody sees of an author, ``all_*`` what the author sees."""

    packages = rows_by_id(select(*PACKAGE), Package.id)
    descriptions = rows_by_id(select(Package.id, Package.description), Package.id)
    readmes = rows_by_id(select(Package.id, Package.readme), Package.id)
    authors = rows_by_id(select(*AUTHOR), Author.id)
    versions = rows_by_id(select(*VERSION), PackageVersion.id)
    version_pages = pages_by_parent(
        select(*VERSION), PackageVersion.package_id, keys=NEWEST_VERSION, order=VERSION_ORDER
    )
    version_counts = counts_by_parent(select(func.count(PackageVersion.id)), PackageVersion.package_id)
    files = lists_by_parent(select(*FILE).order_by(PackageFile.position), PackageFile.version_id)
    categories = lists_by_parent(
        select(PackageCategory.category).order_by(PackageCategory.category), PackageCategory.package_id
    )
    tags = lists_by_parent(select(PackageTag.tag).order_by(PackageTag.tag), PackageTag.package_id)
    all_pages = pages_by_parent(
        select(*PACKAGE), Package.author_id, keys=[(Package.id, True)], order=AUTHORED_ORDER
    )
    listed_pages = pages_by_parent(
        select(*PACKAGE).where(LISTED),
        Package.author_id,
        keys=SORT_KEYS[PackageSort.NEWEST],
        order=LISTED_ORDER,
    )
    all_counts = counts_by_parent(_PACKAGES, Package.author_id)
    listed_counts = counts_by_parent(_PACKAGES.where(LISTED), Package.author_id)

    @loader
    @staticmethod
    async def latest_versions(database: Database, ids: list[UUID]) -> list[Row[Any] | None]:
        """The highest version that is not yanked; a prerelease only where there is no release.

        Who asks for the latest wants what its author calls finished; 2.0.0-beta.1 is above 1.9.0 by number
        only.
        """
        latest = {row.package_id: row for row in await database.rows(_LATEST, packages=ids)}
        return [latest.get(each) for each in ids]

    @loader
    @staticmethod
    async def owned(database: Database, pairs: list[tuple[UUID, UUID]]) -> list[bool]:
        """Whether the user of (user, package) has bought the package and not given it back.

        Two lists rather than pairs, for which SQLite reads the whole table; usually one user asks.
        """
        users, packages = {user_id for user_id, _ in pairs}, {package_id for _, package_id in pairs}
        owned = set(await database.rows(_OWNED, users=users, packages=packages))
        return [pair in owned for pair in pairs]
