"""Payment methods: what the provider lets us show of the ways to pay that a customer keeps."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import PaymentMethod
from app.db.rows import Row

_OWN: tuple[Any, ...] = (
    PaymentMethod.id,
    PaymentMethod.user_id,
    PaymentMethod.stripe_payment_method_id,
    PaymentMethod.is_default,
    PaymentMethod.removed_at,
)
_KEPT = PaymentMethod.removed_at.is_(None)


async def of_user(connection: AsyncConnection, user_id: UUID) -> dict[str, Row]:
    """By the provider's id, removed ones too."""
    statement = select(*_OWN).where(PaymentMethod.user_id == user_id)
    rows = (await connection.execute(statement)).all()
    return {row.stripe_payment_method_id: row for row in rows}


async def kept(connection: AsyncConnection, method_id: UUID, *, user_id: UUID) -> Row | None:
    """None for another account's, and for one that was removed."""
    statement = select(*_OWN).where(PaymentMethod.id == method_id, PaymentMethod.user_id == user_id, _KEPT)
    return (await connection.execute(statement)).one_or_none()


async def count_kept(connection: AsyncConnection, user_id: UUID) -> int:
    statement = select(func.count(PaymentMethod.id)).where(PaymentMethod.user_id == user_id, _KEPT)
    return int((await connection.execute(statement)).scalar_one())


async def add(connection: AsyncConnection, **values: Any) -> None:
    await connection.execute(
        insert(PaymentMethod).values(id=new_id(), is_default=False, removed_at=None, **values)
    )


async def change(connection: AsyncConnection, method_id: UUID, **values: Any) -> None:
    await connection.execute(
        update(PaymentMethod).where(PaymentMethod.id == method_id, _KEPT).values(**values)
    )


async def remove(connection: AsyncConnection, method_ids: Collection[UUID], *, now: datetime) -> None:
    """For good: a payment method that was given up never comes back."""
    await connection.execute(
        update(PaymentMethod)
        .where(PaymentMethod.id.in_(method_ids), _KEPT)
        .values(removed_at=now, is_default=False)
    )


async def set_default(connection: AsyncConnection, user_id: UUID, method_id: str | None) -> None:
    """``method_id`` is the provider's; of each account there is one default at most, at any moment."""
    clear = update(PaymentMethod).where(PaymentMethod.user_id == user_id, PaymentMethod.is_default)
    if method_id:
        clear = clear.where(PaymentMethod.stripe_payment_method_id != method_id)
    await connection.execute(clear.values(is_default=False))
    if method_id:
        await connection.execute(
            update(PaymentMethod)
            .where(
                PaymentMethod.user_id == user_id, PaymentMethod.stripe_payment_method_id == method_id, _KEPT
            )
            .values(is_default=True)
        )
