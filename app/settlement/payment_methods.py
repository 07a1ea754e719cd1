"""Ways to pay: the customer's at the provider, mirrored without anything that could be misused.

What pays is the subscription's own default, from its first payment, else the customer's. Where the customer
has none, that of the subscription becomes it, or the newest, so that a renewal finds what the account last
gave.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.repositories import customers, outbox, payment_methods, subscriptions
from app.domain.outbox import Topic
from app.domain.settlement import Kind, Target
from app.domain.subscriptions import OVER, SubscriptionStatus
from app.ports.provider import Object, PaymentProvider, ProviderRefused
from app.settlement import leases
from app.settlement.subscriptions import end_all
from app.settlement.tools import Tools


async def fetch(provider: PaymentProvider, customer_id: str) -> Object:
    """``id``, ``methods`` (newest first), ``default``, ``is_gone``; a customer that is gone keeps none."""
    customer = await provider.customers.get(customer_id)
    if customer is None:
        return {"id": customer_id, "methods": [], "default": None, "is_gone": True}
    return {
        "id": customer_id,
        "is_gone": False,
        "methods": await provider.payment_methods.of_customer(customer_id),
        "default": (customer.get("invoice_settings") or {}).get("default_payment_method"),
    }


async def apply(connection: AsyncConnection, tools: Tools, told: Object) -> None:
    now = tools.clock()
    holder = await subscriptions.hold_customer(connection, told["id"])
    if holder is None:
        return
    known = await payment_methods.of_user(connection, holder.id)
    given = {method["id"]: method for method in told["methods"]}
    gone = [row.id for key, row in known.items() if key not in given and row.removed_at is None]
    await payment_methods.remove(connection, gone, now=now)
    for key, method in reversed(given.items()):
        if key in known:
            await payment_methods.change(connection, known[key].id, **_shown(method))
        else:
            await payment_methods.add(connection, user_id=holder.id, **_named(method), **_shown(method))
    await payment_methods.set_default(connection, holder.id, told["default"])
    if told["is_gone"]:
        await end_all(connection, holder, now=now)
        await customers.forget(connection, told["id"], now=now)
    kept = [key for key in given if key not in known or known[key].removed_at is None]
    if kept and told["default"] is None and holder.deleted_at is None:
        await _ask_for_default(connection, told["id"], kept[0], now=now)


def _named(method: Object) -> Mapping[str, Any]:
    return {
        "stripe_payment_method_id": method["id"],
        "kind": method["type"][:32],
        "created_at": datetime.fromtimestamp(method["created"], UTC),
    }


def _shown(method: Object) -> Mapping[str, Any]:
    details = method.get(method["type"]) or {}
    return {
        "brand": (details.get("brand") or details.get("bank_name") or "")[:32] or None,
        "last4": details.get("last4"),
        "exp_month": details.get("exp_month"),
        "exp_year": details.get("exp_year"),
    }


async def _ask_for_default(
    connection: AsyncConnection, customer_id: str, method_id: str, *, now: datetime
) -> None:
    await outbox.add(
        connection,
        Topic.DEFAULT_MISSING,
        {"customer_id": customer_id},
        now=now,
        key=f"{Topic.DEFAULT_MISSING}:{customer_id}:{method_id}",
    )


async def choose_default(tools: Tools, customer_id: str) -> Sequence[Target]:
    """Makes a kept one the default where there is none. As ``make_default``."""
    async with _deciding(tools, customer_id):
        return await _choose_default(tools, customer_id)


def _deciding(tools: Tools, customer_id: str) -> AbstractAsyncContextManager[Any]:
    """One at a time: the customer's default and its subscriptions' are set by several calls."""
    return leases.held(tools.database, f"default-{customer_id}", clock=tools.clock, lasts=tools.lease)


async def _choose_default(tools: Tools, customer_id: str) -> Sequence[Target]:
    told = await fetch(tools.provider, customer_id)
    async with tools.database.read() as connection:
        holder = await subscriptions.of_customer(connection, customer_id)
        known = await payment_methods.of_user(connection, holder.id) if holder else {}
    kept = [each["id"] for each in told["methods"] if _is_kept(known.get(each["id"]))]
    if holder is not None and holder.deleted_at is None and kept and told["default"] is None:
        begun = await tools.provider.subscriptions.of_customer(customer_id)
        paying = {each["default_payment_method"] for each in begun if each["status"] not in OVER}
        chosen = next((each for each in kept if each in paying), kept[0])
        return await _make_default(tools, holder.id, customer_id, chosen)
    return [Target(Kind.CUSTOMER, customer_id)]


def _is_kept(row: Any) -> bool:
    return row is not None and row.removed_at is None


async def make_default(tools: Tools, user_id: UUID, customer_id: str, method_id: str) -> Sequence[Target]:
    """For everything that is paid from now on, and for what is open. What to bring up to date.

    A subscription has a default of its own, from its first payment, which would go before: also one that is
    unpaid or paused, and may come back. Raises ProviderError, leases.Busy.
    """
    async with _deciding(tools, customer_id):
        return await _make_default(tools, user_id, customer_id, method_id)


async def _make_default(tools: Tools, user_id: UUID, customer_id: str, method_id: str) -> Sequence[Target]:
    settings = {"default_payment_method": method_id}
    await tools.provider.customers.change(customer_id, {"invoice_settings": settings})
    async with tools.database.read() as connection:
        rows = await subscriptions.started_of(connection, user_id)
    begun = [row for row in rows if row.status != SubscriptionStatus.INCOMPLETE]
    for row in begun:
        await _pay_by(tools, row.stripe_subscription_id, settings)
    async with tools.database.transaction() as connection:
        for row in begun:
            if row.status in (SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID):
                await _collect_soon(connection, row, method_id, now=tools.clock())
    named = [Target(Kind.SUBSCRIPTION, row.stripe_subscription_id) for row in begun]
    return [Target(Kind.CUSTOMER, customer_id), *named]


async def _pay_by(tools: Tools, subscription_id: str, settings: Mapping[str, Any]) -> None:
    """One that has ended meanwhile is paid by nobody."""
    try:
        await tools.provider.subscriptions.change(subscription_id, settings, key=f"default-{new_id()}")
    except ProviderRefused:
        told = await tools.provider.subscriptions.get(subscription_id)
        if told is not None and told["status"] not in OVER:
            raise


async def _collect_soon(connection: AsyncConnection, row: Any, method_id: str, *, now: datetime) -> None:
    since = row.past_due_since or row.updated_at
    await outbox.add(
        connection,
        Topic.INVOICE_COLLECTABLE,
        {"subscription_id": row.stripe_subscription_id, "method_id": method_id},
        now=now,
        key=f"{Topic.INVOICE_COLLECTABLE}:{row.id}:{method_id}:{since.isoformat()}",
    )


async def collect(tools: Tools, subscription_id: str, method_id: str) -> Target | None:
    """Pays what is open by a method that was given since. What to bring up to date; Raises ProviderError.

    A decline is nobody's failure here: the provider's own retries go on.
    """
    told = await tools.provider.subscriptions.get(subscription_id)
    invoice = (told or {}).get("latest_invoice") or {}
    if invoice.get("status") != "open":
        return None
    with suppress(ProviderRefused):
        await tools.provider.invoices.pay(
            invoice["id"],
            {"payment_method": method_id, "off_session": True},
            key=f"collect-{invoice['id']}-{method_id}",
        )
    return Target(Kind.SUBSCRIPTION, subscription_id)


async def detach(tools: Tools, customer_id: str, method_id: str) -> Sequence[Target]:
    """Gives the method up at the provider; another one pays before that. As ``make_default``."""
    async with _deciding(tools, customer_id):
        return await _detach(tools, customer_id, method_id)


async def _detach(tools: Tools, customer_id: str, method_id: str) -> Sequence[Target]:
    told, changed = await fetch(tools.provider, customer_id), [Target(Kind.CUSTOMER, customer_id)]
    if all(method["id"] != method_id for method in told["methods"]):
        return changed
    changed = [*await _pass_on(tools, customer_id, told, method_id)] or changed
    with suppress(ProviderRefused):  # it is detached already
        await tools.provider.payment_methods.detach(method_id, key=f"detach-{method_id}")
    return changed


async def _pass_on(tools: Tools, customer_id: str, told: Object, method_id: str) -> Sequence[Target]:
    """What it pays: by the customer's default, or by the newest where it is that itself."""
    async with tools.database.read() as connection:
        holder = await subscriptions.of_customer(connection, customer_id)
        known = await payment_methods.of_user(connection, holder.id) if holder else {}
        pays = holder is not None and await subscriptions.are_paid_by(connection, holder.id, method_id)
    kept = [each["id"] for each in told["methods"] if _is_kept(known.get(each["id"]))]
    if holder is None or not kept or (told["default"] != method_id and not pays):
        return []
    heir = told["default"] if told["default"] in kept else kept[0]
    return await _make_default(tools, holder.id, customer_id, heir)
