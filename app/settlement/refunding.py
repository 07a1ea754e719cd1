"""Giving back: what is written down as a refund is asked of the provider, however often, once."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from app.db.repositories import payments, refunds
from app.domain.settlement import Kind, Target
from app.ports.provider import ProviderRefused
from app.settlement.syncing import sync
from app.settlement.tools import Tools


async def refund(tools: Tools, refund_id: UUID) -> None:
    """Makes it at the provider and brings its payment up to date.

    Raises ProviderRefused (then what was set aside is free again), ProviderError, leases.Busy.
    """
    asked = await _asked(tools, refund_id)
    try:
        await tools.provider.refunds.create(
            {
                "payment_intent": asked.stripe_payment_intent_id,
                "amount": asked.amount_cents,
                "metadata": {"refund_id": str(refund_id), "reason": asked.reason},
            },
            key=f"refund-{refund_id}",
        )
    except ProviderRefused as refused:
        await _free(tools, asked, refused)
        await _look(tools, asked)
        raise
    await _look(tools, asked)


async def settle(tools: Tools, refund_id: UUID) -> None:
    """The same, for one of which nobody knows whether it was made.

    Looks first: the provider remembers a key for a day, and what is repeated after that is done twice.
    """
    await _look(tools, await _asked(tools, refund_id))
    if (await _asked(tools, refund_id)).check_at is not None:
        await refund(tools, refund_id)


async def _asked(tools: Tools, refund_id: UUID) -> Row[Any]:
    async with tools.database.read() as connection:
        return await refunds.asked(connection, refund_id)


async def _look(tools: Tools, asked: Row[Any]) -> None:
    await sync(tools, Target(Kind.PAYMENT, asked.stripe_payment_intent_id))


async def _free(tools: Tools, asked: Row[Any], refused: ProviderRefused) -> None:
    async with tools.database.transaction() as connection:
        await payments.lock(connection, asked.payment_id)
        if await refunds.refuse(connection, asked.id, failure_code=refused.code, now=tools.clock()):
            await payments.free_refund(connection, asked.payment_id, amount_cents=asked.amount_cents)
