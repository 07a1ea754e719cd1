"""Payments: an intent with its charges, refunds and disputes, and what follows for purchase and licence."""

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import payments
from app.domain.payments import PaymentStatus
from app.ports.provider import Object, PaymentProvider
from app.settlement.tools import Tools


async def fetch(provider: PaymentProvider, intent_id: str) -> Object | None:
    return await provider.payment_intents.get(intent_id)


async def apply(connection: AsyncConnection, tools: Tools, intent: Object) -> None:
    await payments.note_status(
        connection, intent_id=intent["id"], status=PaymentStatus(intent["status"]), now=tools.clock()
    )
