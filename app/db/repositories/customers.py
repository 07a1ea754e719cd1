"""Customers: which one an account is at the payment provider."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import User

CUSTOMER: tuple[Any, ...] = (
    User.id,
    User.stripe_customer_id,
    User.email,
    func.coalesce(User.display_name, User.username).label("name"),
)


async def of_user(connection: AsyncConnection, user_id: UUID) -> Row[Any] | None:
    """None where the account has ended."""
    statement = select(*CUSTOMER).where(User.id == user_id, User.deleted_at.is_(None))
    return (await connection.execute(statement)).one_or_none()


async def forget(connection: AsyncConnection, customer_id: str, *, now: datetime) -> None:
    """The customer is gone at the provider: the account is none there any more."""
    statement = update(User).where(User.stripe_customer_id == customer_id)
    await connection.execute(statement.values(stripe_customer_id=None, updated_at=now))


async def record(
    connection: AsyncConnection, user_id: UUID, *, customer_id: str, instead_of: str | None, now: datetime
) -> Row[Any] | None:
    """The account as it is now, also when it has ended: the customer is still its own."""
    before = User.stripe_customer_id
    statement = (
        update(User)
        .where(User.id == user_id, before.is_(None) if instead_of is None else before == instead_of)
        .values(stripe_customer_id=customer_id, updated_at=now)
        .returning(*CUSTOMER)
    )
    return (await connection.execute(statement)).one_or_none()
