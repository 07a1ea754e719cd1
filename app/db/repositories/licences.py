"""Licences: the right to what was bought, and its signed document."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import Licence, Purchase
from app.domain.purchases import LicenceStatus, PurchaseStatus

LICENCE: tuple[Any, ...] = (
    Licence.id,
    Licence.purchase_id,
    Licence.user_id,
    Licence.status,
    Licence.document,
    Licence.issued_at,
    Licence.revoked_at,
    Purchase.package_id,
    Purchase.version_id,
)
"""Of a licence joined with its purchase."""


async def issue(
    connection: AsyncConnection,
    *,
    licence_id: UUID,
    purchase_id: UUID,
    user_id: UUID,
    document: str,
    now: datetime,
) -> None:
    await connection.execute(
        insert(Licence).values(
            id=licence_id,
            purchase_id=purchase_id,
            user_id=user_id,
            status=LicenceStatus.ACTIVE,
            document=document,
            issued_at=now,
        )
    )


async def is_suspended(connection: AsyncConnection, *, user_id: UUID, package_id: UUID) -> bool:
    """Whether what the account has of the package is suspended."""
    statement = (
        select(Licence.id)
        .join(Purchase, Purchase.id == Licence.purchase_id)
        .where(
            Purchase.user_id == user_id,
            Purchase.package_id == package_id,
            Purchase.status == PurchaseStatus.COMPLETED,
            Licence.status == LicenceStatus.SUSPENDED,
        )
    )
    return (await connection.execute(statement)).first() is not None


async def turn(
    connection: AsyncConnection, purchase_id: UUID, *, status: LicenceStatus, now: datetime
) -> None:
    """Revoked it keeps the moment; given again it has none."""
    await connection.execute(
        update(Licence)
        .where(Licence.purchase_id == purchase_id, Licence.status != status)
        .values(status=status, revoked_at=now if status is LicenceStatus.REVOKED else None)
    )
