"""Invoices for services: written down, made at the provider, and answered the same when asked again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.repositories import accounts, audit, idempotency, invoices, service_invoices
from app.domain.errors import InvalidState, NotFound, PaymentRefused, PaymentUnconfirmed
from app.domain.idempotency import check_key, fingerprint
from app.domain.payments import InvoiceStatus
from app.domain.service_invoices import CHECKED_AFTER, ServiceInvoice
from app.domain.viewer import Viewer
from app.ports.provider import OutcomeUnknown, ProviderBusy
from app.settlement import leases
from app.settlement.service_invoices import carry_out
from app.settlement.tools import Tools

OPERATION = "createServiceInvoice"


async def create(
    *,
    tools: Tools,
    viewer: Viewer,
    user_id: UUID,
    invoice: ServiceInvoice,
    idempotency_key: str,
    now: datetime,
) -> UUID:
    """The invoice's id; the same key with the same input gives the first answer again.

    Raises NotFound, IdempotencyMismatch, InvalidInput, PaymentRefused (the provider will not have it: it is
    void), PaymentUnconfirmed (it will be made, once).
    """
    key, request_hash = check_key(idempotency_key), _fingerprint(user_id, invoice)
    invoice_id = new_id()
    async with tools.database.transaction() as connection:
        earlier = await idempotency.claim(
            connection,
            user_id=viewer.user_id,
            operation=OPERATION,
            key=key,
            request_hash=request_hash,
            result_id=invoice_id,
            now=now,
        )
        if earlier is None:
            if await accounts.by_id(connection, user_id) is None:
                raise NotFound("An account with this id", field="userId")
            await _write(connection, viewer, invoice_id, user_id, invoice, now=now)
    await _carry_out(tools, earlier or invoice_id)
    return earlier or invoice_id


def _fingerprint(user_id: UUID, invoice: ServiceInvoice) -> str:
    lines = [f"{line.quantity}×{line.unit_amount_cents} {line.description}" for line in invoice.lines]
    return fingerprint(
        {
            "userId": str(user_id),
            "lines": "\n".join(lines),
            "currency": invoice.currency,
            "daysUntilDue": invoice.days_until_due,
            "memo": invoice.memo,
        }
    )


async def _write(
    connection: AsyncConnection,
    viewer: Viewer,
    invoice_id: UUID,
    user_id: UUID,
    invoice: ServiceInvoice,
    *,
    now: datetime,
) -> None:
    await service_invoices.add(
        connection,
        invoice_id,
        user_id=user_id,
        created_by=viewer.user_id,
        invoice=invoice,
        check_at=now + CHECKED_AFTER,
        now=now,
    )
    await audit.note(
        connection,
        "service_invoice_created",
        actor_id=viewer.user_id,
        subject_id=invoice_id,
        now=now,
        user=str(user_id),
        total_cents=invoice.total_cents,
        currency=invoice.currency,
    )


async def void(*, tools: Tools, viewer: Viewer, invoice_id: UUID, now: datetime) -> None:
    """An invoice that was written here and waits to be paid; one that is void stays so.

    Raises NotFound, InvalidState (also where it was paid meanwhile), PaymentUnconfirmed.
    """
    async with tools.database.transaction() as connection:
        invoice = await service_invoices.lock(connection, invoice_id)
        if invoice is None:
            raise NotFound("An invoice for a service with this id", field="id")
        if invoice.status == InvoiceStatus.VOID:
            return
        if invoice.status != InvoiceStatus.OPEN:
            raise InvalidState(what="The invoice", state=invoice.status, action="be voided")
        await invoices.change(
            connection, invoice_id, wanted_status=InvoiceStatus.VOID, check_at=now + CHECKED_AFTER
        )
        await audit.note(
            connection, "invoice_voided", actor_id=viewer.user_id, subject_id=invoice_id, now=now
        )
    status = await _carry_out(tools, invoice_id)
    if status != InvoiceStatus.VOID:
        raise InvalidState(what="The invoice", state=status, action="be voided")


async def _carry_out(tools: Tools, invoice_id: UUID) -> str:
    """Where it stands afterwards."""
    try:
        await carry_out(tools, invoice_id)
    except (OutcomeUnknown, ProviderBusy, leases.Busy, leases.Lost):
        raise PaymentUnconfirmed from None
    async with tools.database.read() as connection:
        invoice = await service_invoices.by_id(connection, invoice_id)
    if invoice.failure is not None:
        raise PaymentRefused(invoice.failure)
    return str(invoice.status)
