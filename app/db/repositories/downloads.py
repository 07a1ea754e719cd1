"""Downloads: single-use links, who holds one at work, and what has been delivered."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import (
    Author,
    Download,
    Licence,
    Package,
    PackageFile,
    PackageVersion,
    Purchase,
    Subscription,
    User,
)
from app.db.models.subscriptions import LIVE_ROW
from app.domain.purchases import LicenceStatus, PurchaseStatus

_PACKAGE: tuple[Any, ...] = (
    Package.id,
    Package.slug,
    Package.status,
    Author.user_id.label("author_user_id"),
)
_FILE: tuple[Any, ...] = (PackageFile.id, PackageFile.path, PackageFile.size_bytes, PackageFile.sha256)
_LINK: tuple[Any, ...] = (
    Download.id,
    Download.user_id,
    Download.purchase_id,
    Download.covered,
    Download.completed_at,
    PackageFile.path,
    PackageFile.media_type,
    PackageFile.size_bytes,
    PackageFile.sha256,
    PackageFile.storage_key,
    Package.id.label("package_id"),
    Package.slug,
    Licence.status.label("licence_status"),
    User.tier,
    Subscription.anchor_at,
)


async def package(connection: AsyncConnection, package_id: UUID) -> Row[Any] | None:
    statement = select(*_PACKAGE).join(Author, Author.id == Package.author_id)
    return (await connection.execute(statement.where(Package.id == package_id))).one_or_none()


async def licensed_purchase(connection: AsyncConnection, *, user_id: UUID, package_id: UUID) -> UUID | None:
    """The completed purchase whose licence is active."""
    statement = (
        select(Purchase.id)
        .join(Licence, Licence.purchase_id == Purchase.id)
        .where(
            Purchase.user_id == user_id,
            Purchase.package_id == package_id,
            Purchase.status == PurchaseStatus.COMPLETED,
            Licence.status == LicenceStatus.ACTIVE,
        )
    )
    return (await connection.execute(statement)).scalar_one_or_none()


async def file(connection: AsyncConnection, *, version_id: UUID, path: str | None) -> Row[Any] | None:
    """Without a path, the version's first file."""
    statement = select(*_FILE).where(PackageFile.version_id == version_id)
    wanted = PackageFile.position == 0 if path is None else PackageFile.path == path
    return (await connection.execute(statement.where(wanted))).one_or_none()


async def add(
    connection: AsyncConnection,
    *,
    download_id: UUID,
    token_hash: str,
    user_id: UUID,
    purchase_id: UUID | None,
    file_id: UUID,
    expires_at: datetime,
    now: datetime,
) -> None:
    await connection.execute(
        insert(Download).values(
            id=download_id,
            token_hash=token_hash,
            user_id=user_id,
            purchase_id=purchase_id,
            file_id=file_id,
            covered=[],
            delivered_bytes=0,
            created_at=now,
            expires_at=expires_at,
        )
    )


async def by_token(connection: AsyncConnection, token_hashes: list[str]) -> Row[Any] | None:
    """The link with its file, and the plan of its account; None also where the account has ended."""
    statement = (
        select(*_LINK)
        .join(PackageFile, PackageFile.id == Download.file_id)
        .join(PackageVersion, PackageVersion.id == PackageFile.version_id)
        .join(Package, Package.id == PackageVersion.package_id)
        .join(User, User.id == Download.user_id)
        .join(Subscription, Subscription.user_id == User.id)
        .outerjoin(Licence, Licence.purchase_id == Download.purchase_id)
        .where(Download.token_hash.in_(token_hashes), User.deleted_at.is_(None), LIVE_ROW)
    )
    return (await connection.execute(statement)).one_or_none()


async def lock(connection: AsyncConnection, download_id: UUID) -> Row[Any]:
    """What has come of the link, which nobody changes until the transaction ends."""
    statement = (
        select(
            Download.covered,
            Download.delivered_bytes,
            Download.reservation_id,
            Download.running_until,
            Download.completed_at,
        )
        .where(Download.id == download_id)
        .with_for_update()
    )
    return (await connection.execute(statement)).one()


async def change(connection: AsyncConnection, download_id: UUID, **values: Any) -> None:
    await connection.execute(update(Download).where(Download.id == download_id).values(**values))


async def count_download(connection: AsyncConnection, package_id: UUID) -> None:
    await connection.execute(
        update(Package).where(Package.id == package_id).values(downloads=Package.downloads + 1)
    )
