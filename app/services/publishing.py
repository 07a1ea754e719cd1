"""Publishing: packages are made, changed and taken back, and so are their versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database
from app.db.repositories import audit, authors, publishing, reservations, search, uploads
from app.domain import publishing as rules
from app.domain import slugs
from app.domain.api_keys import Scope
from app.domain.errors import Conflict, Forbidden, InvalidInput, InvalidState, NotFound
from app.domain.lifecycle import (
    PackageAction,
    PackageStatus,
    VersionAction,
    VersionStatus,
    transition,
    transition_version,
)
from app.domain.publishing import Texts
from app.domain.versions import parse_version
from app.domain.viewer import Viewer


@dataclass(frozen=True)
class NewFile:
    upload_id: UUID
    path: str


@dataclass(frozen=True)
class NewVersion:
    """The first of the ``files`` is what a download gives unless another is asked for."""

    version: str
    changelog: str
    files: Sequence[NewFile]


async def publish_package(
    *,
    database: Database,
    viewer: Viewer,
    slug: str,
    texts: Texts,
    version: NewVersion | None,
    draft: bool,
    now: datetime,
) -> UUID:
    """A new package: published when it comes with a version and not as a draft, else a draft.

    Raises InvalidInput, Conflict (slug taken), NotFound (an upload).
    """
    slug, values = slugs.slug(slug), rules.columns(texts)
    categories, tags = rules.categories(texts.categories or ()), rules.tags(texts.tags or ())
    checked = _checked(version) if version else None
    async with database.transaction() as connection:
        author_id = await authors.ensure(
            connection, user_id=viewer.user_id, username=viewer.username, now=now
        )
        package_id = await publishing.create(
            connection,
            values={**values, "slug": slug, "author_id": author_id, "status": PackageStatus.DRAFT},
            now=now,
        )
        if package_id is None:
            raise Conflict(f"A package is called '{slug}' already: choose another slug.", field="slug")
        await publishing.set_categories(connection, package_id, categories)
        await publishing.set_tags(connection, package_id, tags)
        await audit.note(
            connection, "create_package", actor_id=viewer.user_id, subject_id=package_id, now=now, slug=slug
        )
        if checked:
            await _add_version(connection, viewer, package_id, checked, now=now)
        if checked and not draft:
            await _act(connection, viewer, package_id, PackageStatus.DRAFT, PackageAction.PUBLISH, now=now)
        await search.index(connection, package_id)
    return package_id


async def update_package(
    *,
    database: Database,
    viewer: Viewer,
    package_id: UUID,
    texts: Texts,
    action: PackageAction | None,
    now: datetime,
) -> None:
    """Changes what is given, then acts. Raises InvalidInput, NotFound, Forbidden, InvalidState."""
    values = rules.columns(texts)
    categories = rules.categories(texts.categories) if texts.categories is not None else None
    tags = rules.tags(texts.tags) if texts.tags is not None else None
    async with database.transaction() as connection:
        package = await _own(connection, viewer, package_id)
        if texts != Texts():
            _refuse_yanked(package, action="change")
            await publishing.change(connection, package_id, values=values, now=now)
            await audit.note(
                connection,
                "update_package",
                actor_id=viewer.user_id,
                subject_id=package_id,
                now=now,
                changed=texts.given(),
            )
        if categories is not None:
            await publishing.set_categories(connection, package_id, categories)
        if tags is not None:
            await publishing.set_tags(connection, package_id, tags)
        if action is not None:
            await _act(connection, viewer, package_id, PackageStatus(package.status), action, now=now)
        await search.index(connection, package_id)


async def publish_version(
    *, database: Database, viewer: Viewer, package_id: UUID, version: NewVersion, now: datetime
) -> UUID:
    """The new version's id; a draft stays a draft.

    Raises InvalidInput, NotFound (the package, an upload), Forbidden, Conflict (there is such a version),
    InvalidState (the package is yanked).
    """
    checked = _checked(version)
    async with database.transaction() as connection:
        package = await _own(connection, viewer, package_id)
        _refuse_yanked(package, action="get a version")
        version_id = await _add_version(connection, viewer, package_id, checked, now=now)
        await publishing.change(connection, package_id, values={}, now=now)
        await search.index(connection, package_id)
    return version_id


async def yank_version(
    *, database: Database, viewer: Viewer, version_id: UUID, reason: str, now: datetime
) -> UUID:
    """Takes the version from sale and download, finally; the package's id.

    Raises InvalidInput, NotFound, Forbidden, InvalidState.
    """
    reason = rules.reason(reason)
    async with database.transaction() as connection:
        package_id = await publishing.package_of_version(connection, version_id)
        if package_id is None:
            raise NotFound("This version", field="versionId")
        await _own(connection, viewer, package_id, what="This version", field="versionId")
        found = await publishing.version_by_id(connection, version_id)
        assert found is not None  # versions are never deleted
        transition_version(VersionStatus(found.status), VersionAction.YANK)
        await publishing.yank_version(connection, version_id, reason=reason, now=now)
        await publishing.change(connection, package_id, values={}, now=now)
        await audit.note(
            connection,
            "yank_version",
            actor_id=viewer.user_id,
            subject_id=version_id,
            now=now,
            version=found.version,
            reason=reason,
        )
        await search.index(connection, package_id)
    return package_id


async def _own(
    connection: AsyncConnection,
    viewer: Viewer,
    package_id: UUID,
    *,
    what: str = "This package",
    field: str = "packageId",
) -> Row[Any]:
    """The package, locked, when it is the viewer's to change. Another's draft does not exist here."""
    package = await publishing.for_change(connection, package_id)
    if package is not None and (package.user_id == viewer.user_id or viewer.may(Scope.ADMIN)):
        return package
    if package is None or package.status == PackageStatus.DRAFT:
        raise NotFound(what, field=field)
    raise Forbidden("Only its author may change this package.")


def _refuse_yanked(package: Row[Any], *, action: str) -> None:
    if package.status == PackageStatus.YANKED:
        raise InvalidState(what="The package", state=package.status, action=action)


async def _act(
    connection: AsyncConnection,
    viewer: Viewer,
    package_id: UUID,
    status: PackageStatus,
    action: PackageAction,
    *,
    now: datetime,
) -> None:
    with_file = await publishing.count_versions_with_file(connection, package_id)
    values: dict[str, Any] = {"status": transition(status, action, versions_with_file=with_file)}
    if action is PackageAction.PUBLISH:
        values["published_at"] = now
    await publishing.change(connection, package_id, values=values, now=now)
    await audit.note(connection, f"{action}_package", actor_id=viewer.user_id, subject_id=package_id, now=now)


def _checked(version: NewVersion) -> NewVersion:
    """Raises InvalidInput."""
    parse_version(version.version)
    if len({file.upload_id for file in version.files}) < len(version.files):
        raise InvalidInput("files", "One upload is used twice.")
    paths = rules.file_paths([file.path for file in version.files])
    return NewVersion(
        version=version.version,
        changelog=rules.changelog(version.changelog),
        files=[NewFile(file.upload_id, path) for file, path in zip(version.files, paths, strict=True)],
    )


async def _add_version(
    connection: AsyncConnection, viewer: Viewer, package_id: UUID, version: NewVersion, *, now: datetime
) -> UUID:
    """Takes the uploads, each once, and turns their reserved bytes into used ones."""
    await _refuse_repeated(connection, package_id, version.version)
    taken = await uploads.take(
        connection,
        upload_ids=[file.upload_id for file in version.files],
        user_id=viewer.user_id,
        now=now,
    )
    version_id = await publishing.add_version(
        connection,
        package_id=package_id,
        version=version.version,
        changelog=version.changelog,
        published_at=now,
    )
    rows = []
    for file in version.files:
        upload = taken.get(file.upload_id)
        if upload is None or not await reservations.commit(connection, upload.reservation_id, now=now):
            raise NotFound(f"A received upload of yours for '{file.path}' that no version has", field="files")
        rows.append(
            {
                "path": file.path,
                "media_type": upload.media_type,
                "size_bytes": upload.size_bytes,
                "sha256": upload.sha256,
                "storage_key": upload.storage_key,
            }
        )
    await publishing.add_files(connection, version_id, rows)
    await audit.note(
        connection,
        "publish_version",
        actor_id=viewer.user_id,
        subject_id=version_id,
        now=now,
        version=version.version,
    )
    return version_id


async def _refuse_repeated(connection: AsyncConnection, package_id: UUID, version: str) -> None:
    """Build metadata makes no other version: 1.0.0+a and 1.0.0+b are of equal precedence."""
    wanted = parse_version(version)
    for row in await publishing.versions_of(connection, package_id):
        if parse_version(row.version).compare(wanted) == 0:
            raise Conflict(f"The package has the version {row.version} already.", field="version")
