"""How are the changes of one pack written, all of them or none?"""

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import audit, authors, publishing, search
from app.domain import publishing as rules
from app.domain.lifecycle import PackageAction, PackageStatus, transition
from app.gateways.packs import PackSource, PackVersion
from app.services.imports.changes import Archive, Changes, Known, Refused, read_known

MEDIA_TYPE = "application/gzip"


async def write(
    connection: AsyncConnection, pack: PackSource, known: Known, changes: Changes, *, now: datetime
) -> None:
    if await read_known(connection, pack.name, lock=True) != known:
        raise Refused("the package was changed while it was imported: import it again")
    package_id = await _write_package(connection, pack, known, changes, now=now)
    if changes.categories is not None:
        await publishing.set_categories(connection, package_id, changes.categories)
    if changes.tags is not None:
        await publishing.set_tags(connection, package_id, changes.tags)
    await _write_versions(connection, pack, package_id, known, changes, now=now)
    if known.package is None or known.package.status == PackageStatus.DRAFT:
        await _publish(connection, pack, package_id, now=now)
    await audit.note(
        connection, "import_package", actor_id=None, subject_id=package_id, now=now, versions=changes.versions
    )
    await search.index(connection, package_id)


async def _write_package(
    connection: AsyncConnection, pack: PackSource, known: Known, changes: Changes, *, now: datetime
) -> UUID:
    values = dict(changes.values)
    if changes.author is not None:
        values["author_id"] = await authors.ensure(connection, user_id=None, username=changes.author, now=now)
    if known.package is not None:
        await publishing.change(connection, known.package.id, values=values, now=now)
        package_id: UUID | None = known.package.id
    else:
        values |= {"slug": pack.name, "status": PackageStatus.DRAFT}
        package_id = await publishing.create(connection, values=values, now=now)
    if package_id is None:
        raise Refused("the package was made while it was imported: import it again")
    return package_id


async def _write_versions(
    connection: AsyncConnection,
    pack: PackSource,
    package_id: UUID,
    known: Known,
    changes: Changes,
    *,
    now: datetime,
) -> None:
    for release in pack.versions:
        version = known.version(release.version)
        version_id = (
            version.id
            if version is not None
            else await _add_version(connection, package_id, release, now=now)
        )
        if version_id in changes.changelogs:
            await publishing.change_changelog(
                connection, version_id, changelog=changes.changelogs[version_id]
            )
        archive = changes.archives.get(release.version)
        if archive is not None:
            await publishing.add_files(connection, version_id, [_file(pack, release, archive)])


async def _add_version(
    connection: AsyncConnection, package_id: UUID, release: PackVersion, *, now: datetime
) -> UUID:
    return await publishing.add_version(
        connection,
        package_id=package_id,
        version=release.version,
        changelog=rules.changelog(release.changelog or ""),
        published_at=_released(release, now=now),
    )


def _released(release: PackVersion, *, now: datetime) -> datetime:
    """The start of its day in UTC; what names no day, or one to come, is released now."""
    if release.released is None:
        return now
    return min(now, datetime.combine(release.released, time(), UTC))


def _file(pack: PackSource, release: PackVersion, archive: Archive) -> dict[str, Any]:
    return {
        "path": f"{pack.name}-{release.version}.tar.gz",
        "media_type": MEDIA_TYPE,
        "size_bytes": archive.info.size,
        "sha256": archive.info.sha256,
        "storage_key": archive.key,
    }


async def _publish(connection: AsyncConnection, pack: PackSource, package_id: UUID, *, now: datetime) -> None:
    """Since its first version; without a file of any version the package stays a draft."""
    with_file = await publishing.count_versions_with_file(connection, package_id)
    if with_file:
        status = transition(PackageStatus.DRAFT, PackageAction.PUBLISH, versions_with_file=with_file)
        since = min(_released(release, now=now) for release in pack.versions)
        await publishing.change(
            connection, package_id, values={"status": status, "published_at": since}, now=now
        )
