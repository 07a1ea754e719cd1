"""What differs between a pack and what the database has of its package?"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import authors, publishing
from app.domain import publishing as rules
from app.domain import slugs
from app.domain.publishing import Texts
from app.gateways.packs import ArchiveInfo, PackSource, same_goods
from app.ports import ObjectStore, StorageError

AUTHOR_LIMIT = 64

Prices = Mapping[str, tuple[str, str]]
"""Package name to amount, as decimal text in major units, and ISO currency."""


class Refused(Exception):
    """Leaves one pack out; its text is the reason."""


@dataclass(frozen=True)
class Archive:
    path: Path
    info: ArchiveInfo

    @property
    def key(self) -> str:
        """By content: the same bytes are kept once."""
        return f"archives/{self.info.sha256[:2]}/{self.info.sha256}.tar.gz"


@dataclass(frozen=True)
class Known:
    """What the database has of a package; two reads are compared to see whether it changed between them."""

    package: Row[Any] | None
    categories: list[str]
    tags: list[str]
    versions: list[Row[Any]]
    files: list[Row[Any]]

    def version(self, version: str) -> Row[Any] | None:
        return next((row for row in self.versions if row.version == version), None)

    def file(self, version_id: UUID) -> Row[Any] | None:
        return next((row for row in self.files if row.version_id == version_id), None)


@dataclass
class Changes:
    """What has to be written; empty when the pack is unchanged."""

    author: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    categories: list[str] | None = None
    tags: list[str] | None = None
    versions: list[str] = field(default_factory=list)
    changelogs: dict[UUID, str] = field(default_factory=dict)
    archives: dict[str, Archive] = field(default_factory=dict)


async def read_known(connection: AsyncConnection, slug: str, *, lock: bool = False) -> Known:
    package = await publishing.by_slug(connection, slug, lock=lock)
    if package is None:
        return Known(None, [], [], [], [])
    categories, tags = await publishing.labels(connection, package.id)
    versions = await publishing.versions_of(connection, package.id)
    return Known(package, categories, tags, versions, await publishing.files_of(connection, package.id))


def texts_changed(pack: PackSource, known: Known, *, prices: Prices, author: str) -> Changes:
    """Raises InvalidInput, and Refused for the package of somebody else."""
    texts = Texts(
        name=pack.display_name,
        description=pack.description,
        readme=pack.readme or "",
        license=pack.license or rules.NO_LICENSE,
    )
    values = {**rules.columns(texts), **_price(pack, known, prices)}
    categories, tags = rules.categories(pack.categories), rules.tags(pack.tags)
    return Changes(
        author=_author(pack, known, default=author),
        values={column: value for column, value in values.items() if _differs(known.package, column, value)},
        categories=categories if categories != known.categories else None,
        tags=tags if tags != known.tags else None,
    )


def _differs(package: Row[Any] | None, column: str, value: Any) -> bool:
    return package is None or getattr(package, column) != value


def _price(pack: PackSource, known: Known, prices: Prices) -> dict[str, Any]:
    if pack.name in prices:
        price = rules.price(*prices[pack.name])
        return {"price_cents": price.amount_cents, "currency": price.currency}
    return {"price_cents": 0, "currency": "USD"} if known.package is None else {}


def _author(pack: PackSource, known: Known, *, default: str) -> str | None:
    """The author's name where it is to be set. An import takes no package away from an account."""
    name = slugs.clean_line(pack.author or default, field="author", limit=AUTHOR_LIMIT)
    if known.package is not None and authors.name_key(known.package.author) == authors.name_key(name):
        return None
    if known.package is not None and known.package.user_id is not None:
        raise Refused(f"the name '{pack.name}' belongs to a package of {known.package.author}")
    return name


async def compare_versions(
    pack: PackSource, known: Known, archives: Mapping[str, Archive], changes: Changes, store: ObjectStore
) -> None:
    """Raises Refused for other goods under a version that is known."""
    for release in pack.versions:
        archive, version = archives.get(release.version), known.version(release.version)
        file = known.file(version.id) if version is not None else None
        if version is None:
            changes.versions.append(release.version)
        elif release.changelog is not None and version.changelog != rules.changelog(release.changelog):
            changes.changelogs[version.id] = rules.changelog(release.changelog)
        if archive is None:
            continue
        if file is None:
            changes.archives[release.version] = archive
        elif file.sha256 != archive.info.sha256 and not await _same_goods(archive, file, store):
            raise Refused(f"version {release.version} was imported with other content: raise its version")


async def _same_goods(archive: Archive, file: Row[Any], store: ObjectStore) -> bool:
    kept = archive.path.with_suffix(".kept")
    target = await asyncio.to_thread(kept.open, "wb")
    try:
        async for chunk in store.get(file.storage_key, start=0, end=file.size_bytes):
            await asyncio.to_thread(target.write, chunk)
    except StorageError as error:
        raise Refused(f"the archive that was imported cannot be read: {error}") from error
    finally:
        target.close()
    return await asyncio.to_thread(same_goods, archive.path, kept)
