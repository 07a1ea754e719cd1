"""The audit log: who did what to which thing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import AuditEntry


async def note(
    connection: AsyncConnection,
    action: str,
    *,
    actor_id: UUID | None,
    subject_id: UUID | None,
    now: datetime,
    address: str | None = None,
    **details: Any,
) -> None:
    """``details`` must never hold a secret."""
    await connection.execute(
        insert(AuditEntry).values(
            id=new_id(),
            actor_id=actor_id,
            action=action,
            subject_id=subject_id,
            details=details,
            address=address,
            created_at=now,
        )
    )


async def is_noted(
    connection: AsyncConnection, action: str, *, subject_id: UUID | None, details: dict[str, Any]
) -> bool:
    """Whether the very same is in the log already."""
    statement = select(AuditEntry.details).where(
        AuditEntry.subject_id == subject_id, AuditEntry.action == action
    )
    return details in (await connection.execute(statement)).scalars().all()
