"""The beginning of a paid subscription: made incomplete, so that nothing is given before it is paid."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.db.repositories import subscriptions
from app.db.rows import Row
from app.domain.plans import Interval, Tier
from app.domain.settlement import Kind, Target
from app.domain.subscription_changes import KEYS_ARE_KEPT_FOR
from app.domain.subscriptions import LIVE, Offer, SubscriptionStatus
from app.ports.provider import Declined, Object, ProviderRefused
from app.settlement.customers import ensure_customer
from app.settlement.prices import ensure_price
from app.settlement.syncing import sync
from app.settlement.tools import Tools

ASKS_THE_PAYER = "invoice_payment_intent_requires_action"


async def start(tools: Tools, change: Row) -> Mapping[str, Any]:
    """Makes the subscription, and pays it by the customer's default method where there is one.

    What the payer has to do, if anything, is ``client_secret`` or ``setup_secret``; a decline by that method
    is no failure of the change: another one may pay. Raises ProviderError.
    """
    customer_id = await ensure_customer(tools, change.user_id)
    unpaid = await _unpaid(tools, change)
    made = await _made_already(tools, change, customer_id, unpaid)
    if made is None:
        for subscription_id in unpaid:
            await withdraw(tools, subscription_id, key=f"tier-change-{change.id}")
        price_id = await ensure_price(tools, Offer(Tier(change.tier), Interval(change.billing_interval)))
        params = _params(change, customer_id, price_id)
        made = await tools.provider.subscriptions.create(params, key=f"tier-change-{change.id}")
    told = await tools.provider.subscriptions.get(made["id"])
    if told is None:
        raise ProviderRefused("The subscription is gone.", code="resource_missing")
    declined = await _pay_by_default(tools, change, told)
    return {"subscription": made["id"], **await _left_to_do(tools, told, declined)}


async def _unpaid(tools: Tools, change: Row) -> Sequence[str]:
    """What waits for its first payment, and gives way; one that this change itself made is among them."""
    async with tools.database.read() as connection:
        rows = await subscriptions.started_of(connection, change.user_id)
    return [row.stripe_subscription_id for row in rows if row.status == SubscriptionStatus.INCOMPLETE]


async def _made_already(tools: Tools, change: Row, customer_id: str, unpaid: Sequence[str]) -> Object | None:
    """Looked for when the key may be forgotten, and when an event may have told of it before us."""
    if not unpaid and tools.clock() - change.created_at < KEYS_ARE_KEPT_FOR:
        return None
    found = await tools.provider.subscriptions.of_customer(customer_id)
    return next((each for each in found if each["metadata"].get("tier_change") == str(change.id)), None)


async def withdraw(tools: Tools, subscription_id: str, *, key: str) -> None:
    """Ends one that waits for its first payment: voiding the invoice is what excludes that it is paid.

    Raises ProviderRefused where it was paid, ProviderError.
    """
    told = await tools.provider.subscriptions.get(subscription_id)
    invoice = (told or {}).get("latest_invoice") or {}
    try:
        if invoice.get("status") == "open":
            await tools.provider.invoices.void(invoice["id"], key=f"{key}-void-{invoice['id']}")
    finally:
        await sync(tools, Target(Kind.SUBSCRIPTION, subscription_id))
    if told is not None and told["status"] in LIVE:
        raise ProviderRefused("The earlier subscription was paid just now.", code="paid_meanwhile")


def _params(change: Row, customer_id: str, price_id: str) -> dict[str, Any]:
    """Nothing that may change while the change is open: the same row asks for the same."""
    params = {
        "customer": customer_id,
        "items": [{"price": price_id}],
        "payment_behavior": "default_incomplete",
        "payment_settings": {"save_default_payment_method": "on_subscription"},
        "metadata": {"user_id": str(change.user_id), "tier_change": str(change.id)},
    }
    if not change.details["trial_days"]:
        return params
    return params | {
        "trial_period_days": change.details["trial_days"],
        "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
    }


async def _pay_by_default(tools: Tools, change: Row, told: Object) -> str | None:
    """The code of the decline, if it was one."""
    invoice = told["latest_invoice"] or {}
    if told["status"] != SubscriptionStatus.INCOMPLETE or invoice.get("status") != "open":
        return None
    customer = await tools.provider.customers.get(told["customer"])
    method = ((customer or {}).get("invoice_settings") or {}).get("default_payment_method")
    if not method:
        return None
    try:
        await tools.provider.invoices.pay(
            invoice["id"], {"off_session": False}, key=f"tier-change-{change.id}-pay"
        )
    except ProviderRefused as refused:
        by_the_bank = isinstance(refused, Declined) and refused.code != ASKS_THE_PAYER
        return (refused.code or "declined") if by_the_bank else None  # how it stands is looked up next
    return None


async def _left_to_do(tools: Tools, told: Object, declined: str | None) -> dict[str, Any]:
    now = await tools.provider.subscriptions.get(told["id"]) or told
    left: dict[str, Any] = {"declined": declined} if declined else {}
    invoice = now["latest_invoice"] or {}
    secret = (invoice.get("confirmation_secret") or {}).get("client_secret")
    if now["status"] == SubscriptionStatus.INCOMPLETE and secret:
        left["client_secret"] = secret
    if now["pending_setup_intent"]:
        left["setup_secret"] = now["pending_setup_intent"]["client_secret"]
    return left
