"""Transfers: a payout's money as the provider tells it, sent or come back, and what follows for the books."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app import metrics
from app.db.repositories import audit, payouts
from app.domain.ledger import PayoutStatus
from app.domain.payouts import fits
from app.ports.provider import Object, PaymentProvider
from app.settlement import ledger, payout_news
from app.settlement.tools import Tools

GIVEN_BACK = (PayoutStatus.FAILED, PayoutStatus.CANCELED)
log = structlog.get_logger(__name__)


async def fetch(provider: PaymentProvider, transfer_id: str) -> Object | None:
    return await provider.transfers.get(transfer_id)


async def apply(connection: AsyncConnection, tools: Tools, transfer: Object) -> None:
    """Of a transfer that is no payout nothing; one that does not fit its payout is a person's to judge."""
    payout_id = _payout_id(transfer)
    payout = await payouts.lock(connection, payout_id) if payout_id else None
    if payout is None:
        return
    if not fits(payout, transfer) or payout.stripe_transfer_id not in (None, transfer["id"]):
        await _flag(connection, payout, transfer, now=tools.clock())
        return
    await _apply(connection, payout, transfer, now=tools.clock())


def _payout_id(transfer: Object) -> UUID | None:
    try:
        return UUID(transfer["metadata"]["payout_id"])
    except (KeyError, ValueError):
        return None


async def _flag(connection: AsyncConnection, payout: Any, transfer: Object, *, now: datetime) -> None:
    """The payout stays as it is: what was sent is not what was asked for."""
    metrics.PAYOUTS.labels("strange").inc()
    log.error("strange_transfer", payout_id=str(payout.id), transfer_id=transfer["id"])
    await audit.note(
        connection,
        "strange_transfer",
        actor_id=None,
        subject_id=payout.id,
        now=now,
        transfer_id=transfer["id"],
        amount=transfer["amount"],
        currency=transfer["currency"],
        destination=transfer["destination"],
    )


async def _apply(connection: AsyncConnection, payout: Any, transfer: Object, *, now: datetime) -> None:
    returned: int = transfer["amount_reversed"]
    status = PayoutStatus.REVERSED if returned >= payout.amount_cents else PayoutStatus.PAID
    before = payout.returned_cents
    if payout.status in GIVEN_BACK:  # the money went although it was given back to the balance: taken again
        await ledger.record_payout(
            connection,
            source=transfer["id"],
            author_id=payout.author_id,
            amount_cents=payout.amount_cents,
            currency=payout.currency,
            now=now,
        )
        before = 0
    if returned > before:
        await ledger.record_payout_returned(
            connection,
            source=f"{transfer['id']}:{returned}",
            author_id=payout.author_id,
            amount_cents=returned - before,
            currency=payout.currency,
            now=now,
        )
    if status != payout.status:
        metrics.PAYOUTS.labels(status).inc()
    await payouts.change(
        connection,
        payout.id,
        status=status,
        now=now,
        returned_cents=returned,
        stripe_transfer_id=transfer["id"],
        failure_code=None,
        paid_at=datetime.fromtimestamp(transfer["created"], UTC),
    )
    if status != payout.status:
        await payout_news.tell(connection, payout.id, status, now=now)
