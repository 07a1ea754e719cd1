"""What an author hears of a payout: stated with the change of the payout, once for each."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import outbox
from app.domain.ledger import PayoutStatus
from app.domain.outbox import Topic

TOPICS = {
    PayoutStatus.PAID: Topic.PAYOUT_PAID,
    PayoutStatus.FAILED: Topic.PAYOUT_RETURNED,
    PayoutStatus.REVERSED: Topic.PAYOUT_RETURNED,
}
"""One that a person cancels was never told of."""


async def tell(connection: AsyncConnection, payout_id: UUID, status: PayoutStatus, *, now: datetime) -> None:
    """In the transaction in which the payout comes to ``status``."""
    topic = TOPICS.get(status)
    if topic is not None:
        key = f"payout.{status.value}:{payout_id}"
        await outbox.add(connection, topic, {"payout_id": str(payout_id)}, now=now, key=key)
