"""Downloads: a link for who may have the file, and the link found again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database
from app.db.ids import new_id
from app.db.repositories import downloads, licences, purchases, quotas, reservations
from app.domain.api_keys import Scope
from app.domain.downloads import check_token, filename, new_link
from app.domain.errors import InvalidState, InvalidToken, NotFound, NotOwned, QuotaExceeded
from app.domain.lifecycle import PackageStatus
from app.domain.periods import monthly_period
from app.domain.plans import Resource
from app.domain.purchases import LicenceStatus
from app.domain.unicode_text import normalise
from app.domain.usage import GAUGE_PERIOD
from app.domain.versions import parse_version
from app.domain.viewer import Allowance, Viewer
from app.ports import Tokens

SLOT = Resource.CONCURRENT_INSTALLATION


@dataclass(frozen=True)
class NewDownload:
    """``url`` is shown once; ``sha256`` is hex."""

    url: str
    expires_at: datetime
    sha256: str
    size_bytes: int
    filename: str


async def create(
    *,
    database: Database,
    tokens: Tokens,
    viewer: Viewer,
    allowance: Allowance,
    package_id: UUID,
    version: str | None,
    path: str | None,
    base_url: str,
    now: datetime,
) -> NewDownload:
    """A link for an owner, the author or an administrator; ``path`` None: the version's first file.

    Without a version the latest that is not yanked; by its name also a yanked one, for builds that depend
    on it.
    Raises InvalidInput, NotFound, NotOwned, InvalidState (no version), QuotaExceeded.
    """
    if version is not None:
        parse_version(version)
    if path is not None:
        path = normalise(path, field="file")
    link = new_link(tokens.digest, now=now)
    async with database.transaction() as connection:
        package = await _visible(connection, viewer, package_id)
        purchase_id = await _right(connection, viewer, package)
        file = await _file(connection, package, version, path)
        await _check_slot(connection, allowance, now=now)
        await downloads.add(
            connection,
            download_id=new_id(),
            token_hash=tokens.digest(link.token),
            user_id=viewer.user_id,
            purchase_id=purchase_id,
            file_id=file.id,
            expires_at=link.expires_at,
            now=now,
        )
    url = f"{base_url}/downloads/{link.token}"
    return NewDownload(url, link.expires_at, file.sha256, file.size_bytes, filename(file.path))


async def _visible(connection: AsyncConnection, viewer: Viewer, package_id: UUID) -> Row[Any]:
    package = await downloads.package(connection, package_id)
    own = package is not None and (package.author_user_id == viewer.user_id or viewer.is_staff)
    if package is None or (package.status == PackageStatus.DRAFT and not own):
        raise NotFound("A package with this id", field="packageId")
    return package


async def _right(connection: AsyncConnection, viewer: Viewer, package: Row[Any]) -> UUID | None:
    """The purchase that gives the right; None for those who need none."""
    purchase_id = await downloads.licensed_purchase(connection, user_id=viewer.user_id, package_id=package.id)
    if purchase_id is None and package.author_user_id != viewer.user_id and not viewer.may(Scope.ADMIN):
        asked = {"user_id": viewer.user_id, "package_id": package.id}
        raise NotOwned(package.slug, suspended=await licences.is_suspended(connection, **asked))
    return purchase_id


async def _file(
    connection: AsyncConnection, package: Row[Any], version: str | None, path: str | None
) -> Row[Any]:
    found = await purchases.version(connection, package_id=package.id, version=version)
    if found is None and version is None:
        raise InvalidState(what="The package", state="without a version", action="be downloaded")
    if found is None:
        raise NotFound(f"Version {version} of '{package.slug}'", field="version")
    file = await downloads.file(connection, version_id=found.id, path=path)
    if file is None:
        raise NotFound("Such a file of this version", field="file")
    return file


async def _check_slot(connection: AsyncConnection, allowance: Allowance, *, now: datetime) -> None:
    """Says early that a delivery would have to wait; what decides is the delivery's own reservation."""
    await reservations.expire(connection, now=now, user_id=allowance.user_id, resource=SLOT)
    found = await quotas.counters(connection, user_id=allowance.user_id, period_starts=[GAUGE_PERIOD])
    month = monthly_period(anchor=allowance.anchor_at, now=now)
    meter = quotas.meter_of(found, SLOT, limit=allowance.limits[SLOT], month=month)
    if not meter.admits(1):
        raise QuotaExceeded(
            resource=SLOT, used=meter.used + meter.reserved, limit=meter.limit or 0, resets_at=None
        )


async def find(*, database: Database, tokens: Tokens, token: str, now: datetime) -> Row[Any]:
    """The link with its file. Raises NotFound, InvalidToken (expired or used), NotOwned (licence ended)."""
    check_token(token, tokens.digests, now=now)
    async with database.read() as connection:
        link = await downloads.by_token(connection, tokens.digests(token))
    if link is None:
        raise NotFound("A download with this link")
    if link.completed_at is not None:
        raise InvalidToken("This link was used: make a new one with createDownload.")
    if link.purchase_id is not None and link.licence_status != LicenceStatus.ACTIVE:
        raise NotOwned(link.slug, suspended=link.licence_status == LicenceStatus.SUSPENDED)
    return link
