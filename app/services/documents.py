"""Documents: invoices and receipts as files, for whoever holds a link that this server signed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database
from app.db.repositories import accounts, invoices, receipts
from app.domain.documents import LIFETIME, PURPOSE, Document, Link, read_link
from app.domain.errors import NotFound
from app.domain.papers import Paper, invoice_paper, invoice_receipt, purchase_receipt
from app.domain.payments import InvoiceStatus
from app.domain.seller import Seller
from app.domain.viewer import STAFF
from app.ports import Tokens


def url_of(
    document: Document, of: UUID, *, user_id: UUID, tokens: Tokens, base_url: str, now: datetime
) -> str:
    """Good for an hour, for the account that it was made for."""
    link = Link(document, of, user_id, now + LIFETIME)
    return f"{base_url}/documents?token={tokens.sign(link.written(), purpose=PURPOSE)}"


def opened(token: str, *, tokens: Tokens, now: datetime) -> Link:
    """Raises InvalidToken."""
    return read_link(tokens.unsign(token, purpose=PURPOSE), now=now)


async def paper_of(link: Link, *, database: Database, seller: Seller) -> Paper:
    """Raises NotFound, also where the link's account ended or may not see it any more."""
    async with database.read() as connection:
        viewer = await accounts.by_id(connection, link.user_id)
        paper, owner_id = await _read(connection, link, seller)
    if paper is None or viewer is None or (owner_id != viewer.id and viewer.role not in STAFF):
        raise NotFound("This document")
    return paper


async def _read(connection: AsyncConnection, link: Link, seller: Seller) -> tuple[Paper | None, UUID | None]:
    if link.document is Document.PURCHASE_RECEIPT:
        purchase = await receipts.of_purchase(connection, link.of, ended=True)
        if purchase is None or purchase.receipt_number is None:
            return None, None
        return purchase_receipt(purchase, seller=seller), purchase.user_id
    invoice = await invoices.as_told(connection, link.of, ended=True)
    if invoice is None or invoice.status == InvoiceStatus.DRAFT:
        return None, None
    lines = await invoices.lines_of(connection, link.of)
    return _of_invoice(link.document, invoice, lines, seller), invoice.user_id


def _of_invoice(document: Document, invoice: Row[Any], lines: list[Row[Any]], seller: Seller) -> Paper | None:
    if document is Document.INVOICE:
        return invoice_paper(invoice, lines, seller=seller)
    return invoice_receipt(invoice, lines, seller=seller) if invoice.receipt_number else None
