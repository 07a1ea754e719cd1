"""The first step: the rows of a purchase, with all that must hold, before anybody is asked for money."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.repositories import accounts, idempotency, licences, payments, purchases, quotas, reservations
from app.domain.errors import AlreadyOwned, InvalidState, NotFound, PaymentsNotConfigured
from app.domain.idempotency import fingerprint
from app.domain.lifecycle import PackageStatus, VersionStatus
from app.domain.payments import COUNTED_OTHERWISE, FIRST_CHECK, PAYABLE
from app.domain.plans import Resource
from app.domain.purchases import PROMISED_FOR, PurchaseStatus
from app.domain.viewer import Allowance, Viewer
from app.services.purchases.wishes import Entered, Outdated, Shop, Wish
from app.settlement.purchases import complete

OPERATION = "purchasePackage"


async def enter(
    connection: AsyncConnection,
    shop: Shop,
    wish: Wish,
    viewer: Viewer,
    allowance: Allowance,
    *,
    now: datetime,
) -> Entered:
    """The rows of the purchase, or those that there are."""
    await accounts.hold(connection, viewer.user_id)
    purchase_id = new_id()
    claim: dict[str, Any] = {
        "user_id": viewer.user_id,
        "operation": OPERATION,
        "key": wish.idempotency_key,
    }
    earlier = await idempotency.claim(
        connection, **claim, request_hash=_hash(wish), result_id=purchase_id, now=now
    )
    if earlier is not None:
        return Entered(earlier, await _kept_method(connection, viewer, wish), replayed=True)
    method = await _method(connection, viewer, wish)
    package = await _package_for(connection, viewer, wish.package_id)
    pending = await _pending_of(connection, viewer, package)
    _check_sold(package, viewer)
    version = await _version_for(connection, package, wish.version)
    if package.price_cents > 0:
        _check_payable(shop, package)
    if pending is not None:
        _check_continued(pending, package, version)
        await idempotency.point_at(connection, **claim, result_id=pending.id)
        return Entered(pending.id, method)
    await _add(connection, shop, viewer, allowance, package, version, purchase_id, now=now)
    return Entered(purchase_id, method)


def _hash(wish: Wish) -> str:
    asked = {"packageId": str(wish.package_id), "version": wish.version}
    if wish.method_id is not None:
        asked["paymentMethodId"] = str(wish.method_id)
    return fingerprint(asked)


async def _kept_method(connection: AsyncConnection, viewer: Viewer, wish: Wish) -> str | None:
    """None also where it was removed since."""
    if wish.method_id is None:
        return None
    return await payments.method_of(connection, user_id=viewer.user_id, method_id=wish.method_id)


async def _method(connection: AsyncConnection, viewer: Viewer, wish: Wish) -> str | None:
    found = await _kept_method(connection, viewer, wish)
    if found is None and wish.method_id is not None:
        raise NotFound("A payment method of yours with this id", field="paymentMethodId")
    return found


async def _package_for(connection: AsyncConnection, viewer: Viewer, package_id: UUID) -> Any:
    package = await purchases.lock_package(connection, package_id)
    own = package is not None and package.author_user_id == viewer.user_id
    if package is None or (package.status == PackageStatus.DRAFT and not (own or viewer.is_staff)):
        raise NotFound("A package with this id", field="packageId")
    return package


async def _pending_of(connection: AsyncConnection, viewer: Viewer, package: Any) -> Any:
    found = await purchases.open_of(connection, user_id=viewer.user_id, package_id=package.id)
    if found is not None and found.status == PurchaseStatus.COMPLETED:
        asked = {"user_id": viewer.user_id, "package_id": package.id}
        raise AlreadyOwned(package.slug, suspended=await licences.is_suspended(connection, **asked))
    return found


def _check_sold(package: Any, viewer: Viewer) -> None:
    if package.status not in (PackageStatus.PUBLISHED, PackageStatus.DEPRECATED):
        raise InvalidState(what="The package", state=package.status, action="be purchased")
    if package.author_user_id == viewer.user_id:
        raise AlreadyOwned(package.slug)  # buying from oneself would only swell the sales


async def _version_for(connection: AsyncConnection, package: Any, wanted: str | None) -> Any:
    version = await purchases.version(connection, package_id=package.id, version=wanted)
    if version is None and wanted is None:
        raise InvalidState(what="The package", state="without a version", action="be purchased")
    if version is None:
        raise NotFound(f"Version {wanted} of '{package.slug}'", field="version")
    if version.status == VersionStatus.YANKED:
        raise InvalidState(what=f"Version {wanted}", state=version.status, action="be purchased")
    return version


def _check_payable(shop: Shop, package: Any) -> None:
    if shop.tools is None:
        raise PaymentsNotConfigured
    if package.currency in COUNTED_OTHERWISE:
        raise InvalidState(what="The package", state=f"priced in {package.currency}", action="be paid here")


def _check_continued(pending: Any, package: Any, version: Any) -> None:
    """Raises Outdated, and InvalidState where it is too late to begin anew."""
    begun = (pending.version_id, pending.amount_cents, pending.currency)
    if begun == (version.id, package.price_cents, package.currency):
        return
    if pending.payment_status not in PAYABLE:
        raise InvalidState(
            what="Your earlier purchase of this package, at other terms,",
            state=pending.payment_status,
            action="be begun anew",
        )
    raise Outdated(pending.payment_id)


async def _add(
    connection: AsyncConnection,
    shop: Shop,
    viewer: Viewer,
    allowance: Allowance,
    package: Any,
    version: Any,
    purchase_id: UUID,
    *,
    now: datetime,
) -> None:
    """Of the buyer's templates one is used, or promised until it is known whether the payment succeeds."""
    paid, templates, reservation_id = package.price_cents > 0, Resource.TEMPLATE_INSTALL, None
    if paid:
        reservation_id = await reservations.reserve(
            connection, allowance, templates, 1, expires_at=now + PROMISED_FOR, now=now
        )
    else:
        await quotas.consume(connection, allowance, templates, 1, now=now)
    bought = {
        "purchase_id": purchase_id,
        "user_id": viewer.user_id,
        "amount_cents": package.price_cents,
        "currency": package.currency,
        "now": now,
    }
    if not await purchases.add(
        connection, package_id=package.id, version_id=version.id, reservation_id=reservation_id, **bought
    ):
        raise AlreadyOwned(package.slug)
    if paid:
        await payments.add(connection, payment_id=new_id(), check_at=now + FIRST_CHECK, **bought)
    else:
        await _complete(connection, shop, viewer, purchase_id, now=now)


async def _complete(
    connection: AsyncConnection, shop: Shop, viewer: Viewer, purchase_id: UUID, *, now: datetime
) -> None:
    await complete(
        connection,
        signer=shop.signer,
        terms=shop.commission,
        purchase=await purchases.lock(connection, purchase_id),
        licensee=viewer.username,
        now=now,
    )
