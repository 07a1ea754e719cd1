"""Receipts: their numbers, and what the papers and mails of a purchase and of a refund tell."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import (
    Invoice,
    Licence,
    Package,
    PackageVersion,
    Payment,
    Purchase,
    ReceiptCounter,
    Refund,
    User,
)

RECEIPT: tuple[Any, ...] = (
    Purchase.id,
    Purchase.receipt_number,
    Purchase.amount_cents,
    Purchase.currency,
    Purchase.completed_at,
    Purchase.user_id,
    User.email,
    User.username,
    User.display_name,
    Package.name.label("package"),
    Package.slug,
    Package.license.label("terms"),
    PackageVersion.version,
    Licence.document,
)
_REFUND: tuple[Any, ...] = (
    Refund.id,
    Refund.status,
    Refund.amount_cents,
    Refund.currency,
    Refund.created_at,
    Payment.amount_cents.label("paid_cents"),
    Payment.refunded_cents,
    User.email,
    User.username,
    Package.name.label("package"),
    Purchase.receipt_number.label("purchase_receipt"),
    Invoice.receipt_number.label("invoice_receipt"),
    Invoice.number.label("invoice_number"),
)


async def next_number(connection: AsyncConnection, *, year: int) -> str:
    """The year's next number, of purchases and invoices alike, without gaps.

    Everybody who is given one waits for the others here, so it is a transaction's last step.
    """
    dialect_insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    counter = (
        dialect_insert(ReceiptCounter)
        .values(year=year, last_number=1)
        .on_conflict_do_update(
            index_elements=[ReceiptCounter.year], set_={"last_number": ReceiptCounter.last_number + 1}
        )
        .returning(ReceiptCounter.last_number)
    )
    return f"RG-{year}-{(await connection.execute(counter)).scalar_one():06d}"


async def of_purchase(
    connection: AsyncConnection, purchase_id: UUID, *, ended: bool = False
) -> Row[Any] | None:
    """None for an unknown purchase and, unless ``ended``, a deleted buyer; ``document`` None: no licence."""
    statement = (
        select(*RECEIPT)
        .join(User, User.id == Purchase.user_id)
        .join(Package, Package.id == Purchase.package_id)
        .join(PackageVersion, PackageVersion.id == Purchase.version_id)
        .outerjoin(Licence, Licence.purchase_id == Purchase.id)
        .where(Purchase.id == purchase_id)
    )
    if not ended:
        statement = statement.where(User.deleted_at.is_(None))
    return (await connection.execute(statement)).one_or_none()


async def of_refund(connection: AsyncConnection, refund_id: UUID) -> Row[Any] | None:
    """None for an unknown refund and for a deleted buyer; of a purchase or of an invoice."""
    statement = (
        select(*_REFUND)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(User, User.id == Payment.user_id)
        .outerjoin(Purchase, Purchase.id == Payment.purchase_id)
        .outerjoin(Package, Package.id == Purchase.package_id)
        .outerjoin(Invoice, Invoice.id == Payment.invoice_id)
        .where(Refund.id == refund_id, User.deleted_at.is_(None))
    )
    return (await connection.execute(statement)).one_or_none()
