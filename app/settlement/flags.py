"""What only a person can decide: written down where people look, and nothing else is done about it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app import metrics
from app.db.repositories import audit
from app.domain.payments import Flag

ACTION = "payment_flagged"

log = structlog.get_logger(__name__)


async def raise_flag(
    connection: AsyncConnection, flag: Flag, *, payment_id: UUID | None, now: datetime, **details: Any
) -> None:
    """Once for the very same. ``details`` are ids, amounts and states as text or numbers, never a secret."""
    told = {"flag": flag, **details}
    if await audit.is_noted(connection, ACTION, subject_id=payment_id, details=told):
        return
    metrics.PAYMENTS_FLAGGED.labels(flag).inc()
    log.error("payment_flagged", flag=flag, payment_id=str(payment_id), **details)
    await audit.note(connection, ACTION, actor_id=None, subject_id=payment_id, now=now, **told)
