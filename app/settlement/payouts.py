"""Payouts: the transfer of one that is open, made once; a refusal gives the money back to the balance."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app import metrics
from app.db.repositories import payouts
from app.domain.ledger import PayoutMethod, PayoutStatus
from app.domain.payouts import CHECK_PAUSE, transfer_group, transfer_params
from app.domain.settlement import Kind, Target
from app.ports.provider import Object, ProviderRefused
from app.settlement import leases, ledger, payout_news
from app.settlement.sweeping import guarded
from app.settlement.syncing import sync
from app.settlement.tools import Tools

BATCH = 20


async def send(tools: Tools, payout_id: UUID) -> None:
    """Makes the transfer, or finds the one that was made, and notes it; of what is not open nothing.

    It is looked for first: the provider forgets the key after a day, and the sweeper may come later.
    Raises ProviderError and leases.Busy; then the payout stays open, and the sweeper comes back to it.
    """
    async with leases.held(tools.database, f"payout-{payout_id}", clock=tools.clock) as lease:
        async with tools.database.read() as connection:
            payout = await payouts.by_id(connection, payout_id)
        if payout is None or payout.status != PayoutStatus.PENDING or payout.method != PayoutMethod.TRANSFER:
            return
        transfer = await tools.provider.transfers.of_group(transfer_group(payout_id))
        if transfer is None:
            transfer = await _make(tools, payout, lease)
    if transfer is not None:
        await sync(tools, Target(Kind.TRANSFER, transfer["id"]))


async def _make(tools: Tools, payout: Any, lease: leases.Lease) -> Object | None:
    try:
        return await tools.provider.transfers.create(transfer_params(payout), key=transfer_group(payout.id))
    except ProviderRefused as refused:
        async with tools.database.transaction() as connection:
            await leases.prove(connection, lease)
            await give_back(
                connection,
                payout.id,
                status=PayoutStatus.FAILED,
                now=tools.clock(),
                failure_code=(refused.code or "refused")[:64],
            )
        return None


async def give_back(
    connection: AsyncConnection, payout_id: UUID, *, status: PayoutStatus, now: datetime, **values: Any
) -> bool:
    """Ends a payout of which nothing was sent: its money is the author's again. False: it had ended."""
    payout = await payouts.lock(connection, payout_id)
    if payout is None or payout.status != PayoutStatus.PENDING:
        return False
    await payouts.change(
        connection, payout_id, status=status, now=now, returned_cents=payout.amount_cents, **values
    )
    await ledger.record_payout_returned(
        connection,
        source=str(payout_id),
        author_id=payout.author_id,
        amount_cents=payout.amount_cents,
        currency=payout.currency,
        now=now,
    )
    metrics.PAYOUTS.labels(status).inc()
    await payout_news.tell(connection, payout_id, status, now=now)
    return True


async def sweep(tools: Tools) -> None:
    """Goes on with what a crash or a lost answer left open."""
    now = tools.clock()
    async with tools.database.transaction() as connection:
        due = await payouts.claim_due(connection, limit=BATCH, now=now, again_at=now + CHECK_PAUSE)
    for payout_id in due:
        await guarded("payout_still_open", payout_id, send(tools, payout_id))
