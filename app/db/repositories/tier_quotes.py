"""Quotes of another plan: told, looked up by their account, forgotten."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import TierQuote
from app.db.rows import Row


async def add(connection: AsyncConnection, **values: Any) -> None:
    await connection.execute(insert(TierQuote).values(**values))


async def of_user(connection: AsyncConnection, quote_id: UUID, *, user_id: UUID) -> Row | None:
    """None for another account's too."""
    statement = select(*TierQuote.__table__.columns).where(
        TierQuote.id == quote_id, TierQuote.user_id == user_id
    )
    return (await connection.execute(statement)).one_or_none()


async def forget(connection: AsyncConnection, *, before: datetime) -> None:
    await connection.execute(delete(TierQuote).where(TierQuote.expires_at < before))
