"""Purchases and licences by id, the licence of each purchase, the purchases of each account."""

from sqlalchemy import func, select

from app.dataloaders.by_id import rows_by_id
from app.dataloaders.lists import counts_by_parent, lists_by_parent, pages_by_parent
from app.db.database import Database
from app.db.models import Licence, Purchase
from app.db.repositories.licences import LICENCE
from app.db.repositories.purchases import PURCHASE


class PurchaseLoaders:
    def __init__(self, database: Database) -> None:
        licences = select(*LICENCE).join(Purchase, Purchase.id == Licence.purchase_id)
        self.purchases = rows_by_id(database, select(*PURCHASE), Purchase.id)
        self.licences = rows_by_id(database, licences, Licence.id)
        self.licences_of = lists_by_parent(database, licences, Licence.purchase_id)
        self.pages = pages_by_parent(
            database, select(*PURCHASE), Purchase.user_id, keys=[(Purchase.id, True)], order="id"
        )
        self.counts = counts_by_parent(database, select(func.count(Purchase.id)), Purchase.user_id)
