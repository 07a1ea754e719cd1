"""Purchases and licences by id, the licence of each purchase, the purchases of each account."""

from sqlalchemy import func, select

from app.dataloaders.by_id import rows_by_id
from app.dataloaders.lists import counts_by_parent, lists_by_parent, pages_by_parent
from app.dataloaders.loader import LoaderGroup
from app.db.models import Licence, Purchase
from app.db.repositories.licences import LICENCE
from app.db.repositories.purchases import PURCHASE

_LICENCES = select(*LICENCE).join(Purchase, Purchase.id == Licence.purchase_id)


class PurchaseLoaders(LoaderGroup):
    purchases = rows_by_id(select(*PURCHASE), Purchase.id)
    licences = rows_by_id(_LICENCES, Licence.id)
    licences_of = lists_by_parent(_LICENCES, Licence.purchase_id)
    pages = pages_by_parent(select(*PURCHASE), Purchase.user_id, keys=[(Purchase.id, True)], order="id")
    counts = counts_by_parent(select(func.count(Purchase.id)), Purchase.user_id)
