"""Invoices and their lines: as they are shown, and as the provider tells them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import Invoice, InvoiceLine, Payment, Subscription, User

INVOICE: tuple[Any, ...] = (
    Invoice.id,
    Invoice.user_id,
    Invoice.number,
    Invoice.status,
    Invoice.currency,
    Invoice.subtotal_cents,
    Invoice.discount_cents,
    Invoice.tax_cents,
    Invoice.tax_included_cents,
    Invoice.adjustment_cents,
    Invoice.total_cents,
    Invoice.amount_due_cents,
    Invoice.amount_paid_cents,
    Invoice.period_start,
    Invoice.period_end,
    Invoice.issued_at,
    Invoice.due_at,
    Invoice.paid_at,
    Invoice.created_at,
    Invoice.receipt_number,
    Invoice.description,
    Invoice.subscription_id,
    Invoice.attempt_count,
    Invoice.next_attempt_at,
    Invoice.hosted_url,
)
LINE: tuple[Any, ...] = (
    InvoiceLine.invoice_id,
    InvoiceLine.description,
    InvoiceLine.quantity,
    InvoiceLine.unit_amount_cents,
    InvoiceLine.amount_cents,
    InvoiceLine.discount_cents,
    InvoiceLine.tax_cents,
    InvoiceLine.is_proration,
    InvoiceLine.period_start,
    InvoiceLine.period_end,
)


async def as_told(connection: AsyncConnection, invoice_id: UUID, *, ended: bool = False) -> Row[Any] | None:
    """With whom it is told to; None for an unknown invoice and, unless ``ended``, for a deleted account."""
    status = Subscription.status.label("subscription_status")
    told: tuple[Any, ...] = (*INVOICE, User.email, User.username, User.display_name, status)
    statement = (
        select(*told)
        .join(User, User.id == Invoice.user_id)
        .outerjoin(Subscription, Subscription.id == Invoice.subscription_id)
        .where(Invoice.id == invoice_id)
    )
    if not ended:
        statement = statement.where(User.deleted_at.is_(None))
    return (await connection.execute(statement)).one_or_none()


async def lines_of(connection: AsyncConnection, invoice_id: UUID) -> list[Row[Any]]:
    statement = select(*LINE).where(InvoiceLine.invoice_id == invoice_id).order_by(InvoiceLine.position)
    return list((await connection.execute(statement)).all())


_MIRRORED: tuple[Any, ...] = (
    *INVOICE,
    Invoice.stripe_invoice_id,
    Invoice.told_attempts,
    Invoice.wanted_status,
)


async def by_provider_id(connection: AsyncConnection, stripe_invoice_id: str) -> Row[Any] | None:
    """Nobody changes it until the transaction ends."""
    statement = select(*_MIRRORED).where(Invoice.stripe_invoice_id == stripe_invoice_id).with_for_update()
    return (await connection.execute(statement)).one_or_none()


async def asked_for(connection: AsyncConnection, named: str, *, user_id: UUID) -> Row[Any] | None:
    """The account's, made here, by its id as text; None for any other, and for what is no id."""
    try:
        invoice_id = UUID(named)
    except ValueError:
        return None
    statement = select(*_MIRRORED).where(
        Invoice.id == invoice_id,
        Invoice.user_id == user_id,
        Invoice.created_by.is_not(None),
        Invoice.stripe_invoice_id.is_(None),
    )
    return (await connection.execute(statement.with_for_update())).one_or_none()


async def subscription_id(connection: AsyncConnection, stripe_subscription_id: str | None) -> UUID | None:
    """Ours; None while it is not known here yet."""
    if stripe_subscription_id is None:
        return None
    statement = select(Subscription.id).where(Subscription.stripe_subscription_id == stripe_subscription_id)
    return (await connection.execute(statement)).scalar_one_or_none()


async def adopt(connection: AsyncConnection, *, subscription_id: UUID, stripe_subscription_id: str) -> None:
    """Gives a subscription the invoices that came before it."""
    await connection.execute(
        update(Invoice)
        .where(Invoice.stripe_subscription_id == stripe_subscription_id, Invoice.subscription_id.is_(None))
        .values(subscription_id=subscription_id)
    )


async def add(connection: AsyncConnection, **values: Any) -> None:
    await connection.execute(insert(Invoice).values(**values))


async def change(connection: AsyncConnection, invoice_id: UUID, **values: Any) -> None:
    await connection.execute(update(Invoice).where(Invoice.id == invoice_id).values(**values))


async def replace_lines(
    connection: AsyncConnection, invoice_id: UUID, lines: Sequence[dict[str, Any]]
) -> None:
    await connection.execute(delete(InvoiceLine).where(InvoiceLine.invoice_id == invoice_id))
    if lines:
        rows = [{"id": new_id(), "invoice_id": invoice_id, **line} for line in lines]
        await connection.execute(insert(InvoiceLine), rows)


async def begin_payment(
    connection: AsyncConnection,
    invoice_id: UUID,
    *,
    user_id: UUID,
    status: str,
    now: datetime,
    **values: Any,
) -> None:
    """A payment of the invoice, to be looked at at once; so is one that stands otherwise by now."""
    dialect_insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = dialect_insert(Payment).values(
        id=new_id(),
        user_id=user_id,
        invoice_id=invoice_id,
        status=status,
        updated_at=now,
        check_at=now,
        **values,
    )
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[Payment.stripe_payment_intent_id],
            set_={"check_at": now},
            where=Payment.status != status,
        )
    )
