"""Invoices by id and by account, and the lines of each."""

from sqlalchemy import func, select

from app.dataloaders.by_id import rows_by_id
from app.dataloaders.lists import counts_by_parent, lists_by_parent, pages_by_parent
from app.dataloaders.loader import LoaderGroup
from app.db.models import Invoice, InvoiceLine
from app.db.repositories.invoices import INVOICE, LINE


class InvoiceLoaders(LoaderGroup):
    invoices = rows_by_id(select(*INVOICE), Invoice.id)
    pages = pages_by_parent(select(*INVOICE), Invoice.user_id, keys=[(Invoice.id, True)], order="id")
    counts = counts_by_parent(select(func.count(Invoice.id)), Invoice.user_id)
    lines = lists_by_parent(select(*LINE).order_by(InvoiceLine.position), InvoiceLine.invoice_id)
