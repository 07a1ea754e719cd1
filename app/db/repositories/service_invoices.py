"""Invoices for services: as they were written down here, and what is open of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import Invoice
from app.db.repositories import invoices
from app.domain.payments import InvoiceStatus
from app.domain.service_invoices import ServiceInvoice

_SERVICE: tuple[Any, ...] = (
    Invoice.id,
    Invoice.user_id,
    Invoice.status,
    Invoice.currency,
    Invoice.description,
    Invoice.days_until_due,
    Invoice.stripe_invoice_id,
    Invoice.wanted_status,
    Invoice.failure,
)


async def add(
    connection: AsyncConnection,
    invoice_id: UUID,
    *,
    user_id: UUID,
    created_by: UUID,
    invoice: ServiceInvoice,
    check_at: datetime,
    now: datetime,
) -> None:
    """A draft, to be issued; the provider's numbers take the place of ours then."""
    await invoices.add(
        connection,
        id=invoice_id,
        user_id=user_id,
        created_by=created_by,
        status=InvoiceStatus.DRAFT,
        wanted_status=InvoiceStatus.OPEN,
        check_at=check_at,
        currency=invoice.currency,
        subtotal_cents=invoice.total_cents,
        discount_cents=0,
        tax_cents=0,
        total_cents=invoice.total_cents,
        amount_due_cents=invoice.total_cents,
        amount_paid_cents=0,
        days_until_due=invoice.days_until_due,
        description=invoice.memo,
        created_at=now,
    )
    lines = [
        {
            "position": position,
            "description": line.description,
            "quantity": line.quantity,
            "unit_amount_cents": line.unit_amount_cents,
            "amount_cents": line.amount_cents,
        }
        for position, line in enumerate(invoice.lines)
    ]
    await invoices.replace_lines(connection, invoice_id, lines)


async def by_id(connection: AsyncConnection, invoice_id: UUID) -> Row[Any]:
    return (await connection.execute(select(*_SERVICE).where(Invoice.id == invoice_id))).one()


async def lock(connection: AsyncConnection, invoice_id: UUID) -> Row[Any] | None:
    """None for what was not written here; nobody changes it until the transaction ends."""
    statement = select(*_SERVICE).where(Invoice.id == invoice_id, Invoice.created_by.is_not(None))
    return (await connection.execute(statement.with_for_update())).one_or_none()


async def fail(connection: AsyncConnection, invoice_id: UUID, *, failure: str) -> None:
    """The provider will not have it: it never was."""
    await invoices.change(
        connection, invoice_id, status=InvoiceStatus.VOID, failure=failure, wanted_status=None, check_at=None
    )


async def is_due(connection: AsyncConnection, *, now: datetime) -> bool:
    """Whether a claim would find something: asked first, because a claim writes and this does not."""
    due = select(Invoice.id).where(Invoice.check_at.is_not(None), Invoice.check_at <= now)
    return (await connection.execute(due.limit(1))).first() is not None


async def claim_due(connection: AsyncConnection, *, limit: int, until: datetime, now: datetime) -> list[UUID]:
    """Those that nobody has settled in time, the oldest first; they are due again at ``until``."""
    due = (
        select(Invoice.id)
        .where(Invoice.check_at.is_not(None), Invoice.check_at <= now)
        .order_by(Invoice.check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(Invoice)
        .where(Invoice.id.in_(due.scalar_subquery()), Invoice.check_at.is_not(None), Invoice.check_at <= now)
        .values(check_at=until)
        .returning(Invoice.id)
    )
    return sorted((await connection.execute(statement)).scalars())
