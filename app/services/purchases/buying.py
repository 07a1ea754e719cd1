"""Buying: the rows first, then the payment, and what is told of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from app.db.repositories import payments
from app.domain.errors import (
    DomainError,
    PaymentDeclined,
    PaymentRefused,
    PaymentsNotConfigured,
    PaymentUnconfirmed,
)
from app.domain.idempotency import check_key
from app.domain.payments import PAYABLE, PaymentStatus
from app.domain.versions import parse_version
from app.domain.viewer import Allowance, Viewer
from app.ports.provider import Declined, ProviderError, ProviderRefused
from app.services.purchases.entering import enter
from app.services.purchases.wishes import Bought, Entered, Outdated, Shop, Wish
from app.settlement import leases, paying
from app.settlement.tools import Tools

TRIES = 3
"""How often an outdated payment is withdrawn before another request is taken to be quicker."""


async def purchase(shop: Shop, wish: Wish, *, viewer: Viewer, allowance: Allowance, now: datetime) -> Bought:
    """The same key with the same input gives the same again; a pending purchase of the same is continued.

    Raises InvalidInput, IdempotencyMismatch, NotFound, InvalidState, AlreadyOwned (its author owns a package
    too), PaymentsNotConfigured, QuotaExceeded, Unauthenticated (the account ended); then nothing was changed.
    """
    check_key(wish.idempotency_key)
    if wish.version is not None:
        parse_version(wish.version)
    for _ in range(TRIES):
        try:
            async with shop.database.transaction() as connection:
                entered = await enter(connection, shop, wish, viewer, allowance, now=now)
        except Outdated as outdated:
            await _withdraw(shop.tools, outdated.payment_id)
        else:
            return Bought(entered.purchase_id, await _pay(shop, wish, entered))
    raise PaymentUnconfirmed


async def _withdraw(tools: Tools | None, payment_id: UUID) -> None:
    if tools is None:
        raise PaymentsNotConfigured
    try:
        await paying.withdraw(tools, payment_id)
    except ProviderRefused:
        return  # it was given up with that
    except (ProviderError, leases.Busy, leases.Lost) as error:
        raise PaymentUnconfirmed from error


async def _pay(shop: Shop, wish: Wish, entered: Entered) -> DomainError | None:
    """Why it is not paid, where that is not the payer's turn."""
    payment = await _payment(shop, entered)
    if payment is None or shop.tools is None:
        return None
    if payment.status not in PAYABLE:
        return _refused_before(payment)
    if wish.method_id and entered.replayed and payment.failure_code:
        return PaymentDeclined(decline_code=payment.failure_code)
    try:
        await _ask(shop.tools, payment, wish, entered)
    except Declined as declined:
        return PaymentDeclined(decline_code=declined.code)
    except ProviderRefused as refused:
        current = await _payment(shop, entered)
        settled = current is not None and current.status in (
            PaymentStatus.SUCCEEDED,
            PaymentStatus.PROCESSING,
        )
        return None if settled else PaymentRefused(str(refused), reason=refused.code)
    except (ProviderError, leases.Busy, leases.Lost):
        return PaymentUnconfirmed()
    return None


async def _payment(shop: Shop, entered: Entered) -> Row[Any] | None:
    async with shop.database.read() as connection:
        return await payments.of_purchase(connection, entered.purchase_id)


def _refused_before(payment: Row[Any]) -> DomainError | None:
    if payment.stripe_payment_intent_id is None and payment.failure_code:
        return PaymentRefused("as it did before", reason=payment.failure_code)
    return None


async def _ask(tools: Tools, payment: Row[Any], wish: Wish, entered: Entered) -> None:
    waits = entered.replayed and payment.status == PaymentStatus.REQUIRES_ACTION
    if entered.method is None or waits:
        await paying.begin(tools, payment.id)
    else:
        await paying.confirm(tools, payment.id, method_id=entered.method, return_url=wish.return_url)
