"""Purchases: what may be bought, what was bought, and the receipts' numbers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import Author, Package, PackageVersion, Payment, Purchase
from app.db.repositories import receipts
from app.domain.lifecycle import VersionStatus
from app.domain.purchases import OPEN, PurchaseStatus

PURCHASE: tuple[Any, ...] = (
    Purchase.id,
    Purchase.user_id,
    Purchase.package_id,
    Purchase.version_id,
    Purchase.status,
    Purchase.amount_cents,
    Purchase.currency,
    Purchase.receipt_number,
    Purchase.created_at,
    Purchase.completed_at,
)
_PACKAGE: tuple[Any, ...] = (
    Package.id,
    Package.slug,
    Package.name,
    Package.license,
    Package.status,
    Package.price_cents,
    Package.currency,
    Package.rating_sum,
    Package.rating_count,
    Author.user_id.label("author_user_id"),
)
_VERSION: tuple[Any, ...] = (PackageVersion.id, PackageVersion.version, PackageVersion.status)
_PAYMENT: tuple[Any, ...] = (
    Payment.id.label("payment_id"),
    Payment.status.label("payment_status"),
    Payment.attempt,
)
_SOLD: tuple[Any, ...] = (
    Purchase.id,
    Purchase.user_id,
    Purchase.package_id,
    Purchase.status,
    Purchase.amount_cents,
    Purchase.currency,
    Purchase.reservation_id,
)
_GOODS: tuple[Any, ...] = (
    Purchase.id,
    Package.author_id,
    Package.slug,
    Package.name,
    Package.license,
    PackageVersion.version,
)
_OPEN = text("status IN ('pending', 'completed')")


async def lock_package(connection: AsyncConnection, package_id: UUID) -> Row[Any] | None:
    """The package; nobody changes its price, state or sums until the transaction ends."""
    statement = (
        select(*_PACKAGE)
        .join(Author, Author.id == Package.author_id)
        .where(Package.id == package_id)
        .with_for_update(of=Package, key_share=True)
    )
    return (await connection.execute(statement)).one_or_none()


async def version(connection: AsyncConnection, *, package_id: UUID, version: str | None) -> Row[Any] | None:
    """The one named, yanked or not; else the latest that is not yanked, releases before prereleases."""
    statement = select(*_VERSION).where(PackageVersion.package_id == package_id)
    if version is not None:
        return (await connection.execute(statement.where(PackageVersion.version == version))).one_or_none()
    released = PackageVersion.sort_key.contains("~")  # what the key of a release has in place of a prerelease
    latest = (
        statement.where(PackageVersion.status == VersionStatus.PUBLISHED)
        .order_by(released.desc(), PackageVersion.sort_key.desc())
        .limit(1)
    )
    return (await connection.execute(latest)).one_or_none()


async def open_of(connection: AsyncConnection, *, user_id: UUID, package_id: UUID) -> Row[Any] | None:
    """The account's purchase of the package that is completed or on its way, with its payment."""
    statement = (
        select(*PURCHASE, *_PAYMENT)
        .outerjoin(Payment, Payment.purchase_id == Purchase.id)
        .where(Purchase.user_id == user_id, Purchase.package_id == package_id, Purchase.status.in_(OPEN))
    )
    return (await connection.execute(statement)).one_or_none()


async def has_completed(connection: AsyncConnection, *, user_id: UUID, package_id: UUID) -> bool:
    statement = select(Purchase.id).where(
        Purchase.user_id == user_id,
        Purchase.package_id == package_id,
        Purchase.status == PurchaseStatus.COMPLETED,
    )
    return (await connection.execute(statement)).first() is not None


async def add(
    connection: AsyncConnection,
    *,
    purchase_id: UUID,
    user_id: UUID,
    package_id: UUID,
    version_id: UUID,
    amount_cents: int,
    currency: str,
    reservation_id: UUID | None,
    now: datetime,
) -> bool:
    """Pending; False where the account has an open purchase of the package."""
    dialect_insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = (
        dialect_insert(Purchase)
        .values(
            id=purchase_id,
            user_id=user_id,
            package_id=package_id,
            version_id=version_id,
            status=PurchaseStatus.PENDING,
            amount_cents=amount_cents,
            currency=currency,
            reservation_id=reservation_id,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[Purchase.user_id, Purchase.package_id], index_where=_OPEN)
        .returning(Purchase.id)
    )
    return (await connection.execute(statement)).scalar_one_or_none() is not None


async def lock(connection: AsyncConnection, purchase_id: UUID) -> Row[Any]:
    statement = select(*_SOLD).where(Purchase.id == purchase_id).with_for_update()
    return (await connection.execute(statement)).one()


async def turn(
    connection: AsyncConnection,
    purchase_id: UUID,
    *,
    before: PurchaseStatus,
    after: PurchaseStatus,
    **values: Any,
) -> bool:
    """Whether it was in the state ``before``."""
    statement = update(Purchase).where(Purchase.id == purchase_id, Purchase.status == before)
    return (await connection.execute(statement.values(status=after, **values))).rowcount == 1


async def goods(connection: AsyncConnection, purchase_id: UUID) -> Row[Any]:
    """What a licence says of the purchase, and whose sale it is."""
    statement = (
        select(*_GOODS)
        .join(Package, Package.id == Purchase.package_id)
        .join(PackageVersion, PackageVersion.id == Purchase.version_id)
        .where(Purchase.id == purchase_id)
    )
    return (await connection.execute(statement)).one()


async def note_split(
    connection: AsyncConnection, purchase_id: UUID, *, commission_cents: int, author_share_cents: int
) -> None:
    await connection.execute(
        update(Purchase)
        .where(Purchase.id == purchase_id)
        .values(commission_cents=commission_cents, author_share_cents=author_share_cents)
    )


async def count_sale(connection: AsyncConnection, package_id: UUID, number: int = 1) -> None:
    await connection.execute(
        update(Package).where(Package.id == package_id).values(sales=Package.sales + number)
    )


async def give_receipt(connection: AsyncConnection, purchase_id: UUID, *, year: int) -> str:
    """The year's next number: a transaction's last step."""
    receipt_number = await receipts.next_number(connection, year=year)
    await connection.execute(
        update(Purchase).where(Purchase.id == purchase_id).values(receipt_number=receipt_number)
    )
    return receipt_number
