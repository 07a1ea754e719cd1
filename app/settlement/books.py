"""What the authors' books say of money that went back, or is disputed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.payments import DISPUTED, DisputeStatus
from app.settlement import disputes, ledger, refunds


async def write(
    connection: AsyncConnection,
    purchase_id: UUID,
    refunded: refunds.Mirrored,
    disputed: disputes.Mirrored,
    *,
    now: datetime,
) -> None:
    """Of a purchase that was sold: each change since it was last looked at, once."""
    of_purchase: Mapping[str, Any] = {"purchase_id": purchase_id, "now": now}
    for refund in refunded.made:
        await ledger.record_refund(
            connection, refund_id=refund.id, amount_cents=refund.amount_cents, **of_purchase
        )
    for refund in refunded.failed:
        await ledger.record_refund_failed(connection, refund_id=refund.id, **of_purchase)
    for dispute in disputed.turned:
        await _write_dispute(connection, dispute, of_purchase)


async def _write_dispute(
    connection: AsyncConnection, dispute: Row[Any], of_purchase: Mapping[str, Any]
) -> None:
    """Of an inquiry, or of a dispute that was prevented, nothing: no money moved."""
    about: Mapping[str, Any] = {"dispute_id": dispute.id, **of_purchase}
    if dispute.status in DISPUTED:
        await ledger.record_dispute_opened(connection, amount_cents=dispute.amount_cents, **about)
    elif dispute.status == DisputeStatus.WON:
        await ledger.record_dispute_won(connection, **about)
    elif dispute.status == DisputeStatus.LOST:
        await ledger.record_dispute_lost(connection, amount_cents=dispute.amount_cents, **about)
