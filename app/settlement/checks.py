"""Checks: payments and refunds whose outcome nobody has told us, and payments that nobody makes."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from app.db.repositories import accounts, payments, refunds
from app.domain.payments import PAYABLE, STALE_AFTER
from app.domain.settlement import Kind, Target
from app.settlement import paying, refunding
from app.settlement.sweeping import guarded
from app.settlement.syncing import sync
from app.settlement.tools import Tools

AT_ONCE = 10
CLAIMED_FOR = timedelta(minutes=5)


async def settle_due(tools: Tools) -> int:
    """Finds out what became of those whose check is due, some at a time; how many were looked at.

    What the provider does not answer to is due again when the claim ends.
    """
    now = tools.clock()
    async with tools.database.read() as connection:
        if not (await payments.is_due(connection, now=now) or await refunds.is_due(connection, now=now)):
            return 0
    claim: dict[str, Any] = {"limit": AT_ONCE, "until": now + CLAIMED_FOR, "now": now}
    async with tools.database.transaction() as connection:
        due_payments = await payments.claim_due(connection, **claim)
        due_refunds = await refunds.claim_due(connection, **claim)
    for payment in due_payments:
        await guarded("payment_not_settled", payment.id, _settle(tools, payment))
    for refund_id in due_refunds:
        await guarded("refund_not_settled", refund_id, refunding.settle(tools, refund_id))
    return len(due_payments) + len(due_refunds)


async def _settle(tools: Tools, payment: Row[Any]) -> None:
    """One of an invoice is the provider's to collect: it is looked at, and never withdrawn."""
    over = payment.purchase_id is not None and await _is_over(tools, payment)
    if payment.stripe_payment_intent_id is None and over:
        await paying.give_up_unasked(tools, payment)
    elif payment.stripe_payment_intent_id is None:
        await paying.begin(tools, payment.id)
    elif over and payment.status in PAYABLE:
        await paying.withdraw(tools, payment.id)
    else:
        await sync(tools, Target(Kind.PAYMENT, payment.stripe_payment_intent_id))


async def _is_over(tools: Tools, payment: Row[Any]) -> bool:
    """It waited for its payer for too long, or the payer's account has ended."""
    if tools.clock() - payment.created_at >= STALE_AFTER:
        return True
    async with tools.database.read() as connection:
        return await accounts.by_id(connection, payment.user_id) is None
