"""Payouts that a person makes: marked as paid with a reference, or canceled."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database
from app.db.repositories import accounts, audit, idempotency, payouts
from app.domain.errors import InvalidState, NotFound
from app.domain.idempotency import check_key, fingerprint
from app.domain.ledger import PayoutMethod, PayoutStatus
from app.domain.payouts import check_text
from app.domain.viewer import Viewer
from app.settlement import payout_news
from app.settlement.payouts import give_back


async def mark_paid(
    database: Database,
    *,
    viewer: Viewer,
    payout_id: UUID,
    reference: str,
    idempotency_key: str,
    now: datetime,
) -> None:
    """Of one that is paid by hand. Raises InvalidInput, IdempotencyMismatch, NotFound, InvalidState."""
    reference = check_text(reference, field="reference")
    key = check_key(idempotency_key)
    async with database.transaction() as connection:
        if await _claimed(connection, viewer, "markPayoutPaid", key, payout_id, reference, now=now):
            return
        await _lock_manual(connection, payout_id, action="be marked as paid")
        await payouts.change(
            connection, payout_id, status=PayoutStatus.PAID, now=now, paid_at=now, reference=reference
        )
        await payout_news.tell(connection, payout_id, PayoutStatus.PAID, now=now)
        await _note(connection, "mark_payout_paid", viewer, payout_id, now=now, reference=reference)


async def cancel(
    database: Database, *, viewer: Viewer, payout_id: UUID, reason: str, idempotency_key: str, now: datetime
) -> None:
    """Of one by hand that was not paid: its money is the author's again. Raises as ``mark_paid``."""
    reason = check_text(reason, field="reason")
    key = check_key(idempotency_key)
    async with database.transaction() as connection:
        if await _claimed(connection, viewer, "cancelPayout", key, payout_id, reason, now=now):
            return
        await _lock_manual(connection, payout_id, action="be canceled")
        await give_back(connection, payout_id, status=PayoutStatus.CANCELED, now=now, reference=reason)
        await _note(connection, "cancel_payout", viewer, payout_id, now=now, reason=reason)


async def _claimed(
    connection: AsyncConnection,
    viewer: Viewer,
    operation: str,
    key: str,
    payout_id: UUID,
    text: str,
    *,
    now: datetime,
) -> bool:
    """Whether the very same was done before under this key."""
    await accounts.hold(connection, viewer.user_id)
    earlier = await idempotency.claim(
        connection,
        user_id=viewer.user_id,
        operation=operation,
        key=key,
        request_hash=fingerprint({"payoutId": str(payout_id), "text": text}),
        result_id=payout_id,
        now=now,
    )
    return earlier is not None


async def _lock_manual(connection: AsyncConnection, payout_id: UUID, *, action: str) -> None:
    payout = await payouts.lock(connection, payout_id)
    if payout is None:
        raise NotFound("A payout with this id", field="payoutId")
    if payout.method != PayoutMethod.MANUAL:
        raise InvalidState(what="The payout", state="a transfer", action=action)
    if payout.status != PayoutStatus.PENDING:
        raise InvalidState(what="The payout", state=payout.status, action=action)


async def _note(
    connection: AsyncConnection,
    action: str,
    viewer: Viewer,
    payout_id: UUID,
    *,
    now: datetime,
    **details: str,
) -> None:
    await audit.note(connection, action, actor_id=viewer.user_id, subject_id=payout_id, now=now, **details)
