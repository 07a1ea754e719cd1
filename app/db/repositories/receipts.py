"""Receipts: what a completed purchase's mail tells."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import Licence, Package, PackageVersion, Purchase, User

RECEIPT: tuple[Any, ...] = (
    Purchase.id,
    Purchase.receipt_number,
    Purchase.amount_cents,
    Purchase.currency,
    Purchase.completed_at,
    User.email,
    User.username,
    Package.name.label("package"),
    Package.slug,
    PackageVersion.version,
    Licence.document,
)


async def of_purchase(connection: AsyncConnection, purchase_id: UUID) -> Row[Any] | None:
    """None for an unknown purchase and for a deleted buyer; without a licence ``document`` is None."""
    statement = (
        select(*RECEIPT)
        .join(User, User.id == Purchase.user_id)
        .join(Package, Package.id == Purchase.package_id)
        .join(PackageVersion, PackageVersion.id == Purchase.version_id)
        .outerjoin(Licence, Licence.purchase_id == Purchase.id)
        .where(Purchase.id == purchase_id, User.deleted_at.is_(None))
    )
    return (await connection.execute(statement)).one_or_none()
