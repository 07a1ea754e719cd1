"""Paying for a purchase: what the provider is asked for, between the transactions that write it down.

Every call has a key that is derived from the payment's row, so that a repetition after a crash or a lost
answer is the same request. What the provider then says is applied by ``syncing``, never from the answer.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from app.db.repositories import accounts, payments, purchases
from app.domain.payments import PaymentStatus, next_check
from app.domain.settlement import Kind, Target
from app.ports.provider import Declined, Object, ProviderRefused
from app.settlement.customers import ensure_customer
from app.settlement.purchases import give_up
from app.settlement.syncing import sync
from app.settlement.tools import Tools


async def begin(tools: Tools, payment_id: UUID) -> str:
    """The payment's intent at the provider, made unless there is one.

    Raises ProviderRefused (then the purchase is given up), ProviderError, leases.Busy.
    """
    async with tools.database.read() as connection:
        payment = await payments.asked(connection, payment_id)
    if payment.stripe_payment_intent_id is not None:
        return str(payment.stripe_payment_intent_id)
    try:
        intent = await _create(tools, payment, await ensure_customer(tools, payment.user_id))
    except ProviderRefused as refused:
        await _refuse(tools, payment, refused)
        raise
    now = tools.clock()
    async with tools.database.transaction() as connection:
        await payments.record_intent(
            connection,
            payment_id,
            intent_id=intent["id"],
            client_secret=intent["client_secret"],
            check_at=next_check(created_at=payment.created_at, now=now),
            now=now,
        )
    return str(intent["id"])


async def _create(tools: Tools, payment: Row[Any], customer_id: str, *, again: bool = True) -> Object:
    key = f"purchase-{payment.purchase_id}-1-{customer_id}"
    try:
        return await tools.provider.payment_intents.create(_intent_of(payment, customer_id), key=key)
    except ProviderRefused as refused:
        if not again or (refused.code, refused.param) != ("resource_missing", "customer"):
            raise
    other = await ensure_customer(tools, payment.user_id, instead_of=customer_id)
    return await _create(tools, payment, other, again=False)


def _intent_of(payment: Row[Any], customer_id: str) -> Mapping[str, Any]:
    """Nothing that may change while the purchase is pending: the same row asks for the same."""
    return {
        "amount": payment.amount_cents,
        "currency": payment.currency.lower(),
        "customer": customer_id,
        "automatic_payment_methods": {"enabled": True},
        "description": f"{payment.slug} {payment.version}",
        "metadata": {
            "purchase_id": str(payment.purchase_id),
            "payment_id": str(payment.id),
            "user_id": str(payment.user_id),
            "package": payment.slug,
        },
    }


async def _refuse(tools: Tools, payment: Row[Any], refused: ProviderRefused) -> None:
    """There is no intent and will be none."""
    async with tools.database.transaction() as connection:
        await accounts.hold_payer(connection, payment.user_id)
        await give_up(connection, await purchases.lock(connection, payment.purchase_id))
        await payments.change(
            connection,
            payment.id,
            status=PaymentStatus.CANCELED,
            failure_code=refused.code,
            check_at=None,
            now=tools.clock(),
        )


async def confirm(tools: Tools, payment_id: UUID, *, method_id: str, return_url: str) -> None:
    """Pays by a method that the account keeps; its owner is there to authenticate where that is asked for.

    Raises Declined, ProviderRefused (the payment is brought up to date), ProviderError, leases.Busy.
    """
    intent_id = await begin(tools, payment_id)
    async with tools.database.read() as connection:
        payment = await payments.asked(connection, payment_id)
    params = {"payment_method": method_id, "return_url": return_url, "use_stripe_sdk": True}
    key = f"purchase-{payment.purchase_id}-{payment.attempt}-{method_id}"
    try:
        await tools.provider.payment_intents.confirm(intent_id, params, key=key)
    except (Declined, ProviderRefused):
        await sync(tools, Target(Kind.PAYMENT, intent_id))
        raise
    await sync(tools, Target(Kind.PAYMENT, intent_id))


async def withdraw(tools: Tools, payment_id: UUID) -> None:
    """Cancels what nobody has paid; what was paid meanwhile is complete instead.

    Raises ProviderError, leases.Busy.
    """
    intent_id = await begin(tools, payment_id)
    async with tools.database.read() as connection:
        payment = await payments.asked(connection, payment_id)
    with suppress(ProviderRefused):  # it is paid, or being paid, or canceled already: that is seen next
        await tools.provider.payment_intents.cancel(intent_id, key=f"cancel-{payment_id}-{payment.attempt}")
    await sync(tools, Target(Kind.PAYMENT, intent_id))


async def give_up_unasked(tools: Tools, payment: Row[Any]) -> None:
    """Of a payment whose intent, if there is one, nobody has the secret of: nobody can pay it any more."""
    async with tools.database.transaction() as connection:
        await accounts.hold_payer(connection, payment.user_id)
        await give_up(connection, await purchases.lock(connection, payment.purchase_id))
        await payments.change(
            connection, payment.id, status=PaymentStatus.CANCELED, check_at=None, now=tools.clock()
        )
