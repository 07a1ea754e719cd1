"""Invoices by id and by account, and the lines of each."""

from sqlalchemy import func, select

from app.dataloaders.by_id import rows_by_id
from app.dataloaders.lists import counts_by_parent, lists_by_parent, pages_by_parent
from app.db.database import Database
from app.db.models import Invoice, InvoiceLine
from app.db.repositories.invoices import INVOICE, LINE


class InvoiceLoaders:
    def __init__(self, database: Database) -> None:
        self.invoices = rows_by_id(database, select(*INVOICE), Invoice.id)
        self.pages = pages_by_parent(
            database, select(*INVOICE), Invoice.user_id, keys=[(Invoice.id, True)], order="id"
        )
        self.counts = counts_by_parent(database, select(func.count(Invoice.id)), Invoice.user_id)
        self.lines = lists_by_parent(
            database, select(*LINE).order_by(InvoiceLine.position), InvoiceLine.invoice_id
        )
