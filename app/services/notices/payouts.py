"""Notices to authors about their payouts: made, refused, come back."""

from typing import Any
from uuid import UUID

from app.db.repositories import payouts
from app.domain.ledger import PayoutMethod, PayoutStatus
from app.domain.papers import day
from app.services.notices.post import Post, amount

RETURNED = (PayoutStatus.FAILED, PayoutStatus.REVERSED)


async def paid(post: Post, payout_id: UUID, *, key: str) -> None:
    """Nothing where all of it came back meanwhile. Raises MailError."""
    payout = await _read(post, payout_id)
    if payout is None or payout.status != PayoutStatus.PAID:
        return
    await post.send(
        "payout_paid",
        key=key,
        to=payout.email,
        username=payout.username,
        amount=amount(payout.amount_cents, payout.currency),
        paid_at=day(payout.paid_at or payout.created_at),
        by_hand=payout.method == PayoutMethod.MANUAL,
        reference=payout.reference,
    )


async def returned(post: Post, payout_id: UUID, *, key: str) -> None:
    """Tells that the money is in the balance again; nothing where it went after all. Raises MailError."""
    payout = await _read(post, payout_id)
    if payout is None or payout.status not in RETURNED:
        return
    await post.send(
        "payout_returned",
        key=key,
        to=payout.email,
        username=payout.username,
        amount=amount(payout.amount_cents, payout.currency),
        asked_at=day(payout.created_at),
        was_paid=payout.status == PayoutStatus.REVERSED,
        reason=payout.failure_code,
    )


async def _read(post: Post, payout_id: UUID) -> Any:
    async with post.database.read() as connection:
        return await payouts.as_told(connection, payout_id)
