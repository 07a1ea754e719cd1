"""Invoices: each of the provider's mirrored as it is, with its lines and payments, and what follows once.

An invoice that is paid with money gets the next of our own receipt numbers; a payment of it is followed for
itself (``payments``), so its row is only begun here, with the mark to look at it at once.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app import metrics
from app.db.ids import new_id
from app.db.repositories import invoices, outbox, receipts, subscriptions
from app.domain.outbox import Topic
from app.domain.payments import InvoiceStatus
from app.ports.provider import Object, PaymentProvider
from app.settlement.invoice_news import has_failed, is_mailed, lines_of, moment, payments_of, values_of
from app.settlement.tools import Tools

log = structlog.get_logger(__name__)


async def fetch(provider: PaymentProvider, invoice_id: str) -> Object:
    """One that was deleted is told as such: only drafts can be."""
    return await provider.invoices.get(invoice_id) or {"id": invoice_id, "deleted": True}


async def apply(connection: AsyncConnection, tools: Tools, told: Object) -> None:
    now = tools.clock()
    if told.get("deleted"):
        await _discard(connection, told["id"])
        return
    holder = await subscriptions.hold_customer(connection, told["customer"])
    if holder is None:
        metrics.INVOICES_FLAGGED.labels("no_account").inc()
        log.warning("invoice_flagged", reason="no_account", invoice=told["id"])
        return
    before = await _row(connection, told, holder.id)
    if before and before.wanted_status == InvoiceStatus.OPEN and told["status"] == InvoiceStatus.DRAFT:
        return  # what is written here is more than what has got there so far
    invoice_id = before.id if before else new_id()
    await _write(connection, told, before, invoice_id, holder.id)
    await invoices.replace_lines(connection, invoice_id, lines_of(told))
    for payment in payments_of(told):
        await invoices.begin_payment(connection, invoice_id, user_id=holder.id, now=now, **payment)
    await _tell(connection, told, before, invoice_id, now=now)


async def _discard(connection: AsyncConnection, stripe_invoice_id: str) -> None:
    """A draft that was deleted asks for nothing any more: void. One that is asked for here is made again."""
    row = await invoices.by_provider_id(connection, stripe_invoice_id)
    if row is not None and row.status == InvoiceStatus.DRAFT and row.wanted_status is None:
        await invoices.change(connection, row.id, status=InvoiceStatus.VOID, next_attempt_at=None)


async def _row(connection: AsyncConnection, told: Object, user_id: UUID) -> Row[Any] | None:
    """Ours of the invoice: also one whose making was asked for here, and has not heard its id yet."""
    known = await invoices.by_provider_id(connection, told["id"])
    named = (told.get("metadata") or {}).get("invoice_id")
    if known is not None or not named:
        return known
    return await invoices.asked_for(connection, named, user_id=user_id)


async def _write(
    connection: AsyncConnection, told: Object, before: Row[Any] | None, invoice_id: UUID, user_id: UUID
) -> None:
    values = values_of(told)
    subscription_id = await invoices.subscription_id(connection, values["stripe_subscription_id"])
    written = {**values, "subscription_id": subscription_id}
    if before is None:
        await invoices.add(connection, id=invoice_id, user_id=user_id, **written)
        return
    await invoices.change(connection, invoice_id, **written)


async def _tell(
    connection: AsyncConnection, told: Object, before: Row[Any] | None, invoice_id: UUID, *, now: datetime
) -> None:
    """What follows once; the receipt's number last, for all that pay wait for one another there."""
    if is_mailed(told) and not (before and before.issued_at):
        await _state(connection, Topic.INVOICE_ISSUED, invoice_id, now=now)
        await _remind(connection, told, invoice_id, now=now)
    attempt = told["attempt_count"]
    if has_failed(told) and attempt > (before.told_attempts if before else 0):
        await invoices.change(connection, invoice_id, told_attempts=attempt)
        await _state(connection, Topic.INVOICE_PAYMENT_FAILED, invoice_id, attempt=attempt, now=now)
    paid = told["status"] == InvoiceStatus.PAID and told["amount_paid"] > 0
    if paid and not (before and before.receipt_number):
        await _state(connection, Topic.INVOICE_PAID, invoice_id, now=now)
        number = await receipts.next_number(connection, year=now.year)
        await invoices.change(connection, invoice_id, receipt_number=number)


async def _remind(connection: AsyncConnection, told: Object, invoice_id: UUID, *, now: datetime) -> None:
    """When it is due; of one that is overdue already the first mail tells."""
    due_at = moment(told["due_date"])
    if due_at is not None and due_at > now:
        await _state(connection, Topic.INVOICE_OVERDUE, invoice_id, now=now, at=due_at)


async def _state(
    connection: AsyncConnection,
    topic: Topic,
    invoice_id: UUID,
    *,
    now: datetime,
    at: datetime | None = None,
    attempt: int | None = None,
) -> None:
    nth = {} if attempt is None else {"attempt": attempt}
    key = ":".join(map(str, (topic.value, invoice_id, *nth.values())))
    await outbox.add(connection, topic, {"invoice_id": str(invoice_id), **nth}, now=now, key=key, at=at)
