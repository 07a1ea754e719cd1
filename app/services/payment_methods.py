"""Payment methods: added by the provider's own form, chosen, removed; no card's number comes here."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.repositories import (
    accounts,
    customers,
    idempotency,
    outbox,
    payment_methods,
    subscriptions,
    tier_changes,
)
from app.db.rows import Row
from app.domain.errors import LastPaymentMethod, NotFound, PaymentRefused, PaymentUnconfirmed
from app.domain.idempotency import check_key, fingerprint
from app.domain.outbox import Topic
from app.domain.settlement import Kind, Target
from app.ports.provider import OutcomeUnknown, ProviderBusy, ProviderError, ProviderRefused
from app.settlement import leases
from app.settlement.customers import ensure_customer
from app.settlement.payment_methods import detach, make_default
from app.settlement.syncing import sync
from app.settlement.tools import Tools

NO_ANSWER = (OutcomeUnknown, ProviderBusy, leases.Busy, leases.Lost)


async def start_adding(*, tools: Tools, user_id: UUID, idempotency_key: str, now: datetime) -> str:
    """The client secret with which the provider's form saves a way to pay.

    Raises InvalidInput, PaymentRefused, PaymentUnconfirmed.
    """
    asked_id = new_id()
    async with tools.database.transaction() as connection:
        await accounts.hold(connection, user_id)
        earlier = await idempotency.claim(
            connection,
            user_id=user_id,
            operation="startAddPaymentMethod",
            key=check_key(idempotency_key),
            request_hash=fingerprint({}),
            result_id=asked_id,
            now=now,
        )
    try:
        customer_id = await ensure_customer(tools, user_id)
        params = {
            "customer": customer_id,
            "automatic_payment_methods": {"enabled": True},
            "usage": "off_session",
            "metadata": {"user_id": str(user_id)},
        }
        made = await tools.provider.setup_intents.create(params, key=f"add-method-{earlier or asked_id}")
    except NO_ANSWER:
        raise PaymentUnconfirmed from None
    except ProviderRefused as refused:
        raise PaymentRefused(str(refused), reason=refused.code) from None
    return str(made["client_secret"])


async def set_default(*, tools: Tools, user_id: UUID, method_id: UUID) -> None:
    """It is charged next, and pays what is open. Raises NotFound, PaymentRefused, PaymentUnconfirmed."""
    async with tools.database.read() as connection:
        method = await _own(connection, method_id, user_id)
        customer_id = await _customer_of(connection, user_id)
    try:
        for target in await make_default(tools, user_id, customer_id, method.stripe_payment_method_id):
            await sync(tools, target)
    except NO_ANSWER:
        raise PaymentUnconfirmed from None
    except ProviderRefused as refused:
        raise PaymentRefused(str(refused), reason=refused.code) from None


async def remove(*, tools: Tools, user_id: UUID, method_id: UUID, now: datetime) -> None:
    """For good: it pays nothing from the answer on; the provider is told by a job at the latest.

    Raises NotFound, LastPaymentMethod, PaymentUnconfirmed (nothing was changed).
    """
    async with tools.database.read() as connection:
        await _own(connection, method_id, user_id)
        customer_id = await _customer_of(connection, user_id)
    try:
        await sync(tools, Target(Kind.CUSTOMER, customer_id))  # what was removed elsewhere does not count
    except (*NO_ANSWER, ProviderRefused):
        raise PaymentUnconfirmed from None
    async with tools.database.transaction() as connection:
        method = await _give_up(connection, method_id, user_id, customer_id, now=now)
    try:
        for target in await detach(tools, customer_id, method.stripe_payment_method_id):
            await sync(tools, target)
    except (ProviderError, leases.Busy, leases.Lost):
        return  # the job does it


async def _give_up(
    connection: AsyncConnection, method_id: UUID, user_id: UUID, customer_id: str, *, now: datetime
) -> Row:
    """Under the account's lock: of two that remove the last two, one is refused."""
    await accounts.hold(connection, user_id)
    method = await _own(connection, method_id, user_id)
    if await payment_methods.count_kept(connection, user_id) == 1 and await _pays(connection, user_id):
        raise LastPaymentMethod
    await payment_methods.remove(connection, [method.id], now=now)
    facts = {"customer_id": customer_id, "method_id": method.stripe_payment_method_id}
    key = f"{Topic.METHOD_REMOVED}:{method.stripe_payment_method_id}"
    await outbox.add(connection, Topic.METHOD_REMOVED, facts, now=now, key=key)
    return method


async def _pays(connection: AsyncConnection, user_id: UUID) -> bool:
    """Whether a subscription runs, or is about to."""
    if await tier_changes.is_open(connection, user_id):
        return True
    live = await subscriptions.live_of(connection, user_id)
    return live is not None and live.stripe_subscription_id is not None


async def _own(connection: AsyncConnection, method_id: UUID, user_id: UUID) -> Row:
    method = await payment_methods.kept(connection, method_id, user_id=user_id)
    if method is None:
        raise NotFound("A payment method with this id", field="paymentMethodId")
    return method


async def _customer_of(connection: AsyncConnection, user_id: UUID) -> str:
    customer = await customers.of_user(connection, user_id)
    if customer is None or customer.stripe_customer_id is None:
        raise NotFound("A payment method with this id", field="paymentMethodId")
    return str(customer.stripe_customer_id)
