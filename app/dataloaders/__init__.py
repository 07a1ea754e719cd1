"""The loaders of one request."""

from app.dataloaders.accounts import AccountLoaders
from app.dataloaders.author_books import AuthorBookLoaders
from app.dataloaders.background import BackgroundLoaders
from app.dataloaders.catalog import CatalogLoaders
from app.dataloaders.invoices import InvoiceLoaders
from app.dataloaders.payments import PaymentLoaders
from app.dataloaders.purchases import PurchaseLoaders
from app.dataloaders.reviews import ReviewLoaders
from app.dataloaders.usage import UsageLoaders
from app.db.database import Database


class Loaders:
    """One group a noun."""

    def __init__(self, database: Database) -> None:
        self.accounts = AccountLoaders(database)
        self.author_books = AuthorBookLoaders(database)
        self.background = BackgroundLoaders(database)
        self.catalog = CatalogLoaders(database)
        self.invoices = InvoiceLoaders(database)
        self.payments = PaymentLoaders(database)
        self.purchases = PurchaseLoaders(database)
        self.reviews = ReviewLoaders(database)
        self.usage = UsageLoaders(database)
