"""The receipt of a purchase, and the notice of a refund."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from app.db.repositories import receipts
from app.domain.papers import day, purchase_receipt
from app.domain.payments import RefundStatus
from app.ports import Attachment
from app.services.notices.post import Post, amount, spelt

ENDED = (RefundStatus.FAILED, RefundStatus.CANCELED)


async def purchased(post: Post, purchase_id: UUID, *, key: str) -> None:
    """Mails the receipt with the licence. Raises MailError."""
    async with post.database.read() as connection:
        purchase = await receipts.of_purchase(connection, purchase_id)
    if purchase is None:
        return
    await post.send(
        "receipt",
        key=key,
        to=purchase.email,
        username=purchase.username,
        number=purchase.receipt_number,
        completed_at=spelt(purchase.completed_at),
        package=purchase.package,
        slug=purchase.slug,
        version=purchase.version,
        price=amount(purchase.amount_cents, purchase.currency) if purchase.amount_cents else "free",
        document=purchase.document,
        attached=purchase.receipt_number is not None,
        attachments=await _receipt(post, purchase),
    )


async def _receipt(post: Post, purchase: Row[Any]) -> list[Attachment]:
    if purchase.receipt_number is None:
        return []
    return [await post.printed(purchase_receipt(purchase, seller=post.seller))]


async def refunded(post: Post, refund_id: UUID, *, key: str) -> None:
    """Tells that money is on its way back; nothing where the bank refused it meanwhile. Raises MailError."""
    async with post.database.read() as connection:
        refund = await receipts.of_refund(connection, refund_id)
    if refund is None or refund.status in ENDED:
        return
    await post.send(
        "refund_issued",
        key=key,
        to=refund.email,
        username=refund.username,
        amount=amount(refund.amount_cents, refund.currency),
        paid=amount(refund.paid_cents, refund.currency),
        partial=refund.refunded_cents < refund.paid_cents,
        refunded_at=day(refund.created_at),
        what=refund.package or f"invoice {refund.invoice_number or ''}".strip(),
        ends_licence=refund.purchase_receipt is not None and refund.refunded_cents >= refund.paid_cents,
        receipt_number=refund.purchase_receipt or refund.invoice_receipt,
    )
