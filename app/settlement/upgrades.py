"""A higher plan now: done when it is paid. What the payer has to agree to waits for that.

The provider keeps what was asked for beside the subscription as it is (its ``pending_update``) until the
invoice is paid, voided or too late. It then says so by the subscription, which is how we hear of it.
"""

from collections.abc import Mapping
from typing import Any

from app.db.repositories import tier_changes
from app.db.rows import Row
from app.domain.subscriptions import ChangeStatus
from app.ports.provider import Declined, Object, ProviderRefused
from app.settlement.subscription_news import plan_item
from app.settlement.tools import Tools

IN_HAND = ("requires_action", "processing", "succeeded")
NOT_PAID = "The change was not paid in time, or it was withdrawn."


async def ask(tools: Tools, change: Row, told: Object, price_id: str) -> Mapping[str, Any]:
    """Empty once it is paid; else what the payer agrees by, and how long that holds.

    Raises Declined and ProviderRefused (nothing was changed, and nothing is left to pay), ProviderError.
    """
    if not _is(told, price_id) and told["pending_update"] is None:
        if change.status == ChangeStatus.WAITING:
            raise ProviderRefused(NOT_PAID, code="not_paid")
        asked = _params(change, told, price_id)
        await tools.provider.subscriptions.change(told["id"], asked, key=f"tier-change-{change.id}")
        told = await tools.provider.subscriptions.get(told["id"]) or told
    if _is(told, price_id):
        return {}
    if told["pending_update"] is None:
        raise ProviderRefused(NOT_PAID, code="not_paid")
    until = {"waits_until": told["pending_update"]["expires_at"]}
    if change.status == ChangeStatus.WAITING:
        return until
    return {**until, **await _left_to_do(tools, change, told)}


def _is(told: Object, price_id: str) -> bool:
    return bool(plan_item(told)["price"]["id"] == price_id)


def _params(change: Row, told: Object, price_id: str) -> Mapping[str, Any]:
    return {
        "items": [{"id": plan_item(told)["id"], "price": price_id}],
        "proration_behavior": "always_invoice",
        "proration_date": change.details["proration_at"],
        "payment_behavior": "pending_if_incomplete",
    }


async def _left_to_do(tools: Tools, change: Row, told: Object) -> Mapping[str, Any]:
    """A decline is no reason to wait: the payer may choose another method, and ask again."""
    invoice = told["latest_invoice"]
    intent = await _intent_of(tools, invoice["id"])
    error = intent.get("last_payment_error") or {}
    if intent["status"] in IN_HAND or error.get("code") == "authentication_required":
        secret = (invoice.get("confirmation_secret") or {}).get("client_secret")
        return {"client_secret": secret, "invoice": invoice["id"]}
    if not await _void(tools, invoice["id"], key=f"tier-change-{change.id}-void"):
        return {"invoice": invoice["id"]}  # paid just now: the next look finds it
    if not error:
        raise ProviderRefused("There is no payment method.", code="resource_missing")
    raise Declined(error["message"], code=error.get("decline_code") or error.get("code"))


async def _intent_of(tools: Tools, invoice_id: str) -> Object:
    invoice = await tools.provider.invoices.get(invoice_id)
    entries = ((invoice or {}).get("payments") or {}).get("data") or ()
    found = [entry["payment"]["payment_intent"] for entry in entries if entry["is_default"]]
    if not found:
        raise ProviderRefused("The invoice of the change has no payment.", code="resource_missing")
    intent: Object = found[0]
    return intent


async def withdraw(tools: Tools, change: Row) -> None:
    """What waits for its payer gives way to ``change``. Raises ProviderRefused where it was paid just now."""
    async with tools.database.read() as connection:
        waiting = await tier_changes.waiting_of(connection, change.user_id)
    for row in waiting:
        if row.id == change.id:
            continue
        if not await _void(tools, row.details["invoice"], key=f"tier-change-{row.id}-void"):
            raise ProviderRefused("The earlier change was paid just now.", code="paid_meanwhile")
        async with tools.database.transaction() as connection:
            await tier_changes.settle(
                connection,
                row.id,
                status=ChangeStatus.FAILED,
                details={**row.details, "message": "Another change took its place."},
                failure_code="replaced",
                check_at=None,
                now=tools.clock(),
            )


async def _void(tools: Tools, invoice_id: str, *, key: str) -> bool:
    """Whether it is void: what is paid, is not."""
    try:
        await tools.provider.invoices.void(invoice_id, key=key)
    except ProviderRefused:
        status = (await tools.provider.invoices.get(invoice_id) or {}).get("status")
        if status not in ("paid", "void"):
            raise
        return bool(status == "void")
    return True
