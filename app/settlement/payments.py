"""Payments: an intent with its charges, refunds and disputes, and what follows for purchase and licence."""

from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import accounts, payments, purchases
from app.domain.payments import PAYABLE, UNDECIDED, PaymentStatus, next_check, payment_status
from app.ports.provider import Object, PaymentProvider
from app.settlement import disputes, lost_answers, refunds, sales
from app.settlement.purchases import give_up
from app.settlement.tools import Tools


async def fetch(provider: PaymentProvider, intent_id: str) -> Object | None:
    """The intent with its ``charges``, the newest first and each with its refunds, and its ``disputes``."""
    intent = await provider.payment_intents.get(intent_id)
    if intent is None:
        return None
    charges = await provider.charges.of_intent(intent_id) if intent["latest_charge"] else []
    taken = any(charge["status"] == "succeeded" for charge in charges)
    disputed = await provider.disputes.of_intent(intent_id) if taken else []
    return {**intent, "charges": charges, "disputes": disputed}


async def apply(connection: AsyncConnection, tools: Tools, intent: Object) -> None:
    found = await payments.of_intent(connection, intent["id"]) or await lost_answers.named_by(
        connection, tools, intent
    )
    if found is None:
        return
    payer = await accounts.hold_payer(connection, found.user_id)
    purchase = await purchases.lock(connection, found.purchase_id) if found.purchase_id else None
    payment = await payments.lock(connection, found.id)
    if payment.stripe_payment_intent_id != intent["id"] and not await lost_answers.adopt(
        connection, tools, purchase=purchase, payment=payment, intent=intent
    ):
        return
    status = payment_status(intent["status"])
    await _note(connection, tools, payment, intent, status)
    if status is PaymentStatus.SUCCEEDED:
        if purchase is not None:
            await sales.paid(
                connection, tools, payer=payer, purchase=purchase, payment=payment, intent=intent
            )
        await _follow(connection, tools, purchase, payment, intent)
    elif status is PaymentStatus.CANCELED and purchase is not None:
        await give_up(connection, purchase)


async def _note(
    connection: AsyncConnection, tools: Tools, payment: Row[Any], intent: Object, status: PaymentStatus
) -> None:
    failed = sum(charge["status"] == "failed" for charge in intent["charges"])
    error = intent["last_payment_error"] or {}
    unauthenticated = (
        payment.status == PaymentStatus.REQUIRES_ACTION
        and status is PaymentStatus.REQUIRES_PAYMENT_METHOD
        and failed == payment.failed_charges
    )
    due = next_check(created_at=payment.created_at, now=tools.clock())
    await payments.change(
        connection,
        payment.id,
        status=status,
        attempt=payment.attempt + failed - payment.failed_charges + unauthenticated,
        failed_charges=failed,
        failure_code=error.get("decline_code") or error.get("code"),
        client_secret=intent["client_secret"] if status in PAYABLE else None,
        check_at=due if status in UNDECIDED and payment.purchase_id else None,
        now=tools.clock(),
    )


async def _follow(
    connection: AsyncConnection, tools: Tools, purchase: Row[Any] | None, payment: Row[Any], intent: Object
) -> None:
    told = [refund for charge in intent["charges"] for refund in charge["refunds"]]
    refunded = await refunds.mirror(connection, payment, told, now=tools.clock())
    disputed = await disputes.mirror(connection, payment, intent["disputes"], now=tools.clock())
    if purchase is not None:
        await sales.follow(
            connection, tools, purchase=purchase, payment=payment, refunded=refunded, disputed=disputed
        )
