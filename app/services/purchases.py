"""Purchases: a free package is bought, licensed and receipted at once, or not at all."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database
from app.db.ids import new_id
from app.db.repositories import accounts, idempotency, licences, outbox, purchases, quotas
from app.domain.errors import AlreadyOwned, InvalidState, NotFound, PaymentsNotConfigured
from app.domain.idempotency import check_key, fingerprint
from app.domain.lifecycle import PackageStatus, VersionStatus
from app.domain.outbox import Topic
from app.domain.plans import Resource
from app.domain.versions import parse_version
from app.domain.viewer import Allowance, Viewer
from app.ports import LicenceSigner

OPERATION = "purchasePackage"


async def purchase(
    *,
    database: Database,
    signer: LicenceSigner,
    viewer: Viewer,
    allowance: Allowance,
    package_id: UUID,
    version: str | None,
    idempotency_key: str,
    now: datetime,
) -> UUID:
    """The purchase's id; the same key with the same input gives the same again.

    Raises InvalidInput, IdempotencyMismatch, NotFound, InvalidState, AlreadyOwned (its author owns a package
    too), PaymentsNotConfigured, QuotaExceeded, Unauthenticated (the account ended); then nothing was changed.
    """
    key = check_key(idempotency_key)
    if version is not None:
        parse_version(version)
    request_hash = fingerprint({"packageId": str(package_id), "version": version})
    purchase_id = new_id()
    async with database.transaction() as connection:
        await accounts.hold(connection, viewer.user_id)
        earlier = await idempotency.claim(
            connection,
            user_id=viewer.user_id,
            operation=OPERATION,
            key=key,
            request_hash=request_hash,
            result_id=purchase_id,
            now=now,
        )
        if earlier is not None:
            return earlier
        package = await _package_for(connection, viewer, package_id)
        bought = await _version_for(connection, package, version)
        if package.price_cents > 0:
            raise PaymentsNotConfigured
        await _complete(connection, signer, viewer, allowance, package, bought, purchase_id, now=now)
    return purchase_id


async def _package_for(connection: AsyncConnection, viewer: Viewer, package_id: UUID) -> Any:
    package = await purchases.lock_package(connection, package_id)
    own = package is not None and package.author_user_id == viewer.user_id
    if package is None or (package.status == PackageStatus.DRAFT and not (own or viewer.is_staff)):
        raise NotFound("A package with this id", field="packageId")
    if await purchases.open_of(connection, user_id=viewer.user_id, package_id=package_id) is not None:
        raise AlreadyOwned(package.slug)
    if package.status not in (PackageStatus.PUBLISHED, PackageStatus.DEPRECATED):
        raise InvalidState(what="The package", state=package.status, action="be purchased")
    if own:
        raise AlreadyOwned(package.slug)  # buying from oneself would only swell the sales
    return package


async def _version_for(connection: AsyncConnection, package: Any, wanted: str | None) -> Any:
    version = await purchases.version(connection, package_id=package.id, version=wanted)
    if version is None and wanted is None:
        raise InvalidState(what="The package", state="without a version", action="be purchased")
    if version is None:
        raise NotFound(f"Version {wanted} of '{package.slug}'", field="version")
    if version.status == VersionStatus.YANKED:
        raise InvalidState(what=f"Version {wanted}", state=version.status, action="be purchased")
    return version


async def _complete(
    connection: AsyncConnection,
    signer: LicenceSigner,
    viewer: Viewer,
    allowance: Allowance,
    package: Any,
    version: Any,
    purchase_id: UUID,
    *,
    now: datetime,
) -> None:
    added = await purchases.add_completed(
        connection,
        purchase_id=purchase_id,
        user_id=viewer.user_id,
        package_id=package.id,
        version_id=version.id,
        amount_cents=package.price_cents,
        currency=package.currency,
        now=now,
    )
    if not added:
        raise AlreadyOwned(package.slug)
    await quotas.consume(connection, allowance, Resource.TEMPLATE_INSTALL, 1, now=now)
    licence_id = new_id()
    document = _document(signer, viewer, package, version, licence_id, purchase_id, now=now)
    await licences.issue(
        connection,
        licence_id=licence_id,
        purchase_id=purchase_id,
        user_id=viewer.user_id,
        document=document,
        now=now,
    )
    await purchases.count_sale(connection, package.id)
    await outbox.add(connection, Topic.PURCHASE_COMPLETED, {"purchase_id": str(purchase_id)}, now=now)
    await purchases.give_receipt(connection, purchase_id, year=now.year)


def _document(
    signer: LicenceSigner,
    viewer: Viewer,
    package: Any,
    version: Any,
    licence_id: UUID,
    purchase_id: UUID,
    *,
    now: datetime,
) -> str:
    return signer.sign(
        {
            "licence": str(licence_id),
            "package": package.slug,
            "package-name": _line(package.name),
            "version": version.version,
            "licensee": _line(viewer.username),
            "licensee-id": str(viewer.user_id),
            "terms": _line(package.license),
            "purchase": str(purchase_id),
            "issued-at": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
    )


def _line(text: str) -> str:
    """Names keep their words; whatever white space stood between or around them becomes one space."""
    return " ".join(text.split())
