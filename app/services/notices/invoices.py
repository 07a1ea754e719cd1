"""Notices about invoices: issued, due, paid, not collected."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from app.db.repositories import invoices
from app.domain.papers import day, invoice_paper, invoice_receipt
from app.domain.payments import InvoiceStatus
from app.domain.subscriptions import SubscriptionStatus
from app.ports import Attachment
from app.services.notices.post import Post, amount

LINES = 10
"""So many are listed in a mail; all of them stand in the document."""


async def issued(post: Post, invoice_id: UUID, *, key: str) -> None:
    """Nothing where it was paid or voided meanwhile. Raises MailError."""
    invoice, lines = await _read(post, invoice_id)
    if invoice is None or invoice.status != InvoiceStatus.OPEN:
        return
    await post.send(
        "invoice_issued",
        key=key,
        to=invoice.email,
        username=invoice.username,
        number=invoice.number,
        issued_at=day(invoice.issued_at or invoice.created_at),
        due_at=day(invoice.due_at) if invoice.due_at else None,
        total=amount(invoice.amount_due_cents, invoice.currency),
        memo=invoice.description,
        url=invoice.hosted_url,
        attached=True,
        attachments=[await post.printed(invoice_paper(invoice, lines, seller=post.seller))],
        **_listed(lines),
    )


async def overdue(post: Post, invoice_id: UUID, *, key: str) -> None:
    """The only reminder; nothing where it was paid or voided meanwhile. Raises MailError."""
    invoice, lines = await _read(post, invoice_id)
    if invoice is None or invoice.status != InvoiceStatus.OPEN or invoice.due_at is None:
        return
    await post.send(
        "invoice_overdue",
        key=key,
        to=invoice.email,
        username=invoice.username,
        number=invoice.number,
        issued_at=day(invoice.issued_at or invoice.created_at),
        due_at=day(invoice.due_at),
        total=amount(invoice.amount_due_cents - invoice.amount_paid_cents, invoice.currency),
        url=invoice.hosted_url,
        attachments=[await post.printed(invoice_paper(invoice, lines, seller=post.seller))],
        **_listed(lines),
    )


async def paid(post: Post, invoice_id: UUID, *, key: str) -> None:
    """Raises MailError."""
    invoice, lines = await _read(post, invoice_id)
    if invoice is None or invoice.status != InvoiceStatus.PAID:
        return
    await post.send(
        "invoice_paid",
        key=key,
        to=invoice.email,
        username=invoice.username,
        number=invoice.number,
        receipt_number=invoice.receipt_number,
        paid_at=day(invoice.paid_at or invoice.created_at),
        paid=amount(invoice.amount_paid_cents, invoice.currency),
        attached=invoice.receipt_number is not None,
        attachments=await _receipt(post, invoice, lines),
        **_listed(lines),
    )


async def payment_failed(post: Post, invoice_id: UUID, *, attempt: int, key: str) -> None:
    """A step of dunning; nothing where it was settled meanwhile. Raises MailError.

    After the last one nobody is asked to pay for a plan that does not come back by it.
    """
    invoice, _ = await _read(post, invoice_id)
    if invoice is None or invoice.status != InvoiceStatus.OPEN:
        return
    await post.send(
        "payment_failed",
        key=key,
        to=invoice.email,
        username=invoice.username,
        number=invoice.number,
        total=amount(invoice.amount_due_cents, invoice.currency),
        attempt=attempt,
        next_attempt_at=day(invoice.next_attempt_at) if invoice.next_attempt_at else None,
        recoverable=invoice.subscription_status == SubscriptionStatus.UNPAID,
        url=invoice.hosted_url,
    )


async def _read(post: Post, invoice_id: UUID) -> tuple[Row[Any] | None, list[Row[Any]]]:
    """None for an unknown invoice and for a deleted account."""
    async with post.database.read() as connection:
        invoice = await invoices.as_told(connection, invoice_id)
        return invoice, await invoices.lines_of(connection, invoice_id) if invoice else []


async def _receipt(post: Post, invoice: Row[Any], lines: list[Row[Any]]) -> list[Attachment]:
    if invoice.receipt_number is None:
        return []
    return [await post.printed(invoice_receipt(invoice, lines, seller=post.seller))]


def _listed(lines: list[Row[Any]]) -> dict[str, Any]:
    return {"lines": [line.description for line in lines[:LINES]], "more": max(0, len(lines) - LINES)}
