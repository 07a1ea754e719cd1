"""Invoices for services, made and voided at the provider as they were written down here.

Everything may run again after a crash or a lost answer: each call has a key that is derived from the row, and
before it comes a look at how things stand, for keys are forgotten after a day. The provider is not asked to
mail the invoice: our own mail carries it, as PDF and with the link to pay.
"""

from contextlib import suppress
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import invoices, service_invoices
from app.domain.payments import InvoiceStatus
from app.domain.service_invoices import CHECKED_AGAIN_AFTER
from app.domain.settlement import Kind, Target
from app.ports.provider import Object, ProviderRefused
from app.settlement import leases
from app.settlement.customers import ensure_customer
from app.settlement.sweeping import guarded
from app.settlement.syncing import sync
from app.settlement.tools import Tools

AT_ONCE = 10

log = structlog.get_logger(__name__)


async def carry_out(tools: Tools, invoice_id: UUID) -> None:
    """Settles what is open of it. Raises ProviderError, leases.Busy: then it is open still."""
    name = f"service-invoice-{invoice_id}"
    async with leases.held(tools.database, name, clock=tools.clock, lasts=tools.lease):
        async with tools.database.read() as connection:
            invoice = await service_invoices.by_id(connection, invoice_id)
        if invoice.wanted_status == InvoiceStatus.OPEN:
            await _issue(tools, invoice)
        elif invoice.wanted_status == InvoiceStatus.VOID:
            await _void(tools, invoice)


async def _issue(tools: Tools, invoice: Row[Any]) -> None:
    try:
        customer_id = await ensure_customer(tools, invoice.user_id)
        draft = await _draft(tools, invoice, customer_id)
        if draft["status"] == InvoiceStatus.DRAFT:
            await _fill(tools, invoice, customer_id, draft)
            await tools.provider.invoices.finalize(draft["id"], key=f"invoice-{invoice.id}-finalize")
    except ProviderRefused as refused:
        log.warning("invoice_refused", invoice=str(invoice.id), code=refused.code, error=str(refused))
        await _give_up(tools, invoice.id, failure=str(refused))
        return
    await sync(tools, Target(Kind.INVOICE, draft["id"]), finish=_settled(invoice))


async def _draft(tools: Tools, invoice: Row[Any], customer_id: str) -> Object:
    """The one that there is, also when nobody heard that it was made."""
    provider = tools.provider.invoices
    if invoice.stripe_invoice_id is not None:
        known = await provider.get(invoice.stripe_invoice_id)
        if known is not None:
            return known
    drafts = await provider.drafts_of(customer_id)
    named = [each for each in drafts if each["metadata"].get("invoice_id") == str(invoice.id)]
    found = named[0] if named else await _make(tools, invoice, customer_id)
    async with tools.database.transaction() as connection:
        await invoices.change(connection, invoice.id, stripe_invoice_id=found["id"])
    return found


async def _make(tools: Tools, invoice: Row[Any], customer_id: str) -> Object:
    params = {
        "customer": customer_id,
        "currency": invoice.currency.lower(),
        "collection_method": "send_invoice",
        "days_until_due": invoice.days_until_due,
        "auto_advance": False,
        "pending_invoice_items_behavior": "exclude",
        "metadata": {"invoice_id": str(invoice.id)},
        **({"description": invoice.description} if invoice.description else {}),
    }
    return await tools.provider.invoices.create(params, key=f"invoice-{invoice.id}")


async def _fill(tools: Tools, invoice: Row[Any], customer_id: str, draft: Object) -> None:
    """With the lines that are missing."""
    there = {line["metadata"].get("position") for line in draft["lines"]["data"]}
    async with tools.database.read() as connection:
        lines = await invoices.lines_of(connection, invoice.id)
    for position, line in enumerate(lines):
        if str(position) in there:
            continue
        params = {
            "customer": customer_id,
            "invoice": draft["id"],
            "currency": invoice.currency.lower(),
            "description": line.description,
            "quantity": line.quantity,
            "unit_amount_decimal": str(line.unit_amount_cents),
            "metadata": {"position": str(position)},
        }
        key = f"invoice-{invoice.id}-{position}"
        await tools.provider.invoices.add_item(params, key=key)


async def _give_up(tools: Tools, invoice_id: UUID, *, failure: str) -> None:
    """It never was, there as here: a draft that stayed would come back, with the lines that it has."""
    async with tools.database.read() as connection:
        draft_id = (await service_invoices.by_id(connection, invoice_id)).stripe_invoice_id
    if draft_id is not None:
        with suppress(ProviderRefused):  # it is gone already
            await tools.provider.invoices.delete(draft_id)
    async with tools.database.transaction() as connection:
        await service_invoices.fail(connection, invoice_id, failure=failure)


async def _void(tools: Tools, invoice: Row[Any]) -> None:
    """Where it was paid meanwhile it stays so: the look afterwards says what happened."""
    try:
        await tools.provider.invoices.void(invoice.stripe_invoice_id, key=f"invoice-{invoice.id}-void")
    except ProviderRefused as refused:
        log.warning("invoice_not_voided", invoice=str(invoice.id), error=str(refused))
    await sync(tools, Target(Kind.INVOICE, invoice.stripe_invoice_id), finish=_settled(invoice))


def _settled(invoice: Row[Any]) -> Any:
    async def finish(connection: AsyncConnection) -> None:
        await invoices.change(connection, invoice.id, wanted_status=None, check_at=None)

    return finish


async def settle_due(tools: Tools) -> int:
    """Carries out what nobody has settled in time; how many were looked at."""
    now = tools.clock()
    async with tools.database.read() as connection:
        if not await service_invoices.is_due(connection, now=now):
            return 0
    async with tools.database.transaction() as connection:
        due = await service_invoices.claim_due(
            connection, limit=AT_ONCE, until=now + CHECKED_AGAIN_AFTER, now=now
        )
    for invoice_id in due:
        await guarded("invoice_not_settled", invoice_id, carry_out(tools, invoice_id))
    return len(due)
