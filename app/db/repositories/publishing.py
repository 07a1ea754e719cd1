"""Publishing: packages, their versions, files and labels as they are made and changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import (
    Author,
    Category,
    Package,
    PackageCategory,
    PackageFile,
    PackageTag,
    PackageVersion,
)
from app.domain.lifecycle import VersionStatus
from app.domain.publishing import category_name
from app.domain.versions import sort_key

PACKAGE: tuple[Any, ...] = (
    Package.id,
    Package.author_id,
    Package.slug,
    Package.name,
    Package.name_key,
    Package.description,
    Package.readme,
    Package.license,
    Package.price_cents,
    Package.currency,
    Package.status,
    Package.published_at,
    Author.user_id,
    Author.username.label("author"),
)
_PACKAGES = select(*PACKAGE).join(Author, Author.id == Package.author_id)
VERSION: tuple[Any, ...] = (
    PackageVersion.id,
    PackageVersion.package_id,
    PackageVersion.version,
    PackageVersion.changelog,
    PackageVersion.status,
)
FILE: tuple[Any, ...] = (
    PackageFile.version_id,
    PackageFile.path,
    PackageFile.sha256,
    PackageFile.size_bytes,
    PackageFile.storage_key,
)


async def create(connection: AsyncConnection, *, values: dict[str, Any], now: datetime) -> UUID | None:
    """A package that nobody bought or rated yet; None where the slug is taken."""
    counters = ("downloads", "sales", "rating_sum", "rating_count", "rating_score")
    statement = (
        _inserting(connection, Package)
        .values(id=new_id(), created_at=now, updated_at=now, **dict.fromkeys(counters, 0), **values)
        .on_conflict_do_nothing(index_elements=[Package.slug])
        .returning(Package.id)
    )
    return (await connection.execute(statement)).scalar_one_or_none()


async def for_change(connection: AsyncConnection, package_id: UUID) -> Row[Any] | None:
    """The package with its author's ``user_id`` and name, locked until the transaction ends."""
    statement = _PACKAGES.where(Package.id == package_id).with_for_update(of=Package)
    return (await connection.execute(statement)).one_or_none()


async def by_slug(connection: AsyncConnection, slug: str, *, lock: bool = False) -> Row[Any] | None:
    """As ``for_change``; without ``lock`` it may change meanwhile."""
    statement = _PACKAGES.where(Package.slug == slug)
    statement = statement.with_for_update(of=Package) if lock else statement
    return (await connection.execute(statement)).one_or_none()


async def change(
    connection: AsyncConnection, package_id: UUID, *, values: dict[str, Any], now: datetime
) -> None:
    await connection.execute(update(Package).where(Package.id == package_id).values(updated_at=now, **values))


async def labels(connection: AsyncConnection, package_id: UUID) -> tuple[list[str], list[str]]:
    """(categories, tags), both sorted."""
    categories = select(PackageCategory.category).where(PackageCategory.package_id == package_id)
    tags = select(PackageTag.tag).where(PackageTag.package_id == package_id)
    return (
        sorted((await connection.execute(categories)).scalars()),
        sorted((await connection.execute(tags)).scalars()),
    )


async def set_categories(connection: AsyncConnection, package_id: UUID, categories: Sequence[str]) -> None:
    """Those of the package from now on; unknown ones are made."""
    await connection.execute(delete(PackageCategory).where(PackageCategory.package_id == package_id))
    if not categories:
        return
    known = [{"slug": slug, "name": category_name(slug)} for slug in categories]
    await connection.execute(_inserting(connection, Category).values(known).on_conflict_do_nothing())
    rows = [{"package_id": package_id, "category": slug} for slug in categories]
    await connection.execute(insert(PackageCategory), rows)


async def set_tags(connection: AsyncConnection, package_id: UUID, tags: Sequence[str]) -> None:
    await connection.execute(delete(PackageTag).where(PackageTag.package_id == package_id))
    if tags:
        await connection.execute(insert(PackageTag), [{"package_id": package_id, "tag": tag} for tag in tags])


async def versions_of(connection: AsyncConnection, package_id: UUID) -> list[Row[Any]]:
    """All of them, yanked ones included, the oldest first."""
    found = PackageVersion.package_id == package_id
    statement = select(*VERSION).where(found).order_by(PackageVersion.sort_key)
    return list((await connection.execute(statement)).all())


async def count_versions_with_file(
    connection: AsyncConnection, package_id: UUID, *, besides: UUID | None = None
) -> int:
    """Of the published versions, which the transitions of ``lifecycle`` ask for."""
    statement = select(func.count()).where(
        PackageVersion.package_id == package_id,
        PackageVersion.status == VersionStatus.PUBLISHED,
        exists().where(PackageFile.version_id == PackageVersion.id),
    )
    if besides is not None:
        statement = statement.where(PackageVersion.id != besides)
    return (await connection.execute(statement)).scalar_one()


async def add_version(
    connection: AsyncConnection, *, package_id: UUID, version: str, changelog: str, published_at: datetime
) -> UUID:
    version_id = new_id()
    await connection.execute(
        insert(PackageVersion).values(
            id=version_id,
            package_id=package_id,
            version=version,
            sort_key=sort_key(version),
            changelog=changelog,
            status=VersionStatus.PUBLISHED,
            published_at=published_at,
        )
    )
    return version_id


async def change_changelog(connection: AsyncConnection, version_id: UUID, *, changelog: str) -> None:
    await connection.execute(
        update(PackageVersion).where(PackageVersion.id == version_id).values(changelog=changelog)
    )


async def add_files(connection: AsyncConnection, version_id: UUID, files: Sequence[dict[str, Any]]) -> None:
    """In the order of their positions."""
    rows = [
        {"id": new_id(), "version_id": version_id, "position": position, **file}
        for position, file in enumerate(files)
    ]
    await connection.execute(insert(PackageFile), rows)


async def files_of(connection: AsyncConnection, package_id: UUID) -> list[Row[Any]]:
    """What downloads of the package's versions give, each with its ``version_id``."""
    statement = (
        select(*FILE)
        .join(PackageVersion, PackageVersion.id == PackageFile.version_id)
        .where(PackageVersion.package_id == package_id)
        .order_by(PackageFile.version_id, PackageFile.position)
    )
    return list((await connection.execute(statement)).all())


async def package_of_version(connection: AsyncConnection, version_id: UUID) -> UUID | None:
    statement = select(PackageVersion.package_id).where(PackageVersion.id == version_id)
    return (await connection.execute(statement)).scalar_one_or_none()


async def version_by_id(connection: AsyncConnection, version_id: UUID) -> Row[Any] | None:
    statement = select(*VERSION).where(PackageVersion.id == version_id)
    return (await connection.execute(statement)).one_or_none()


async def yank_version(connection: AsyncConnection, version_id: UUID, *, reason: str, now: datetime) -> None:
    await connection.execute(
        update(PackageVersion)
        .where(PackageVersion.id == version_id)
        .values(status=VersionStatus.YANKED, yank_reason=reason, yanked_at=now)
    )


def _inserting(connection: AsyncConnection, table: type[Any]) -> Any:
    """The dialect's INSERT, which knows ON CONFLICT."""
    return (postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert)(table)
