"""Payments and payment methods, by id and by account."""

from sqlalchemy import func, select

from app.dataloaders.by_id import rows_by_id
from app.dataloaders.lists import counts_by_parent, pages_by_parent
from app.db.database import Database
from app.db.models import Payment, PaymentMethod
from app.db.repositories.payments import KEPT, PAYMENT, PAYMENT_METHOD


class PaymentLoaders:
    def __init__(self, database: Database) -> None:
        methods = select(*PAYMENT_METHOD).where(KEPT)
        self.payments = rows_by_id(database, select(*PAYMENT), Payment.id)
        self.pages = pages_by_parent(
            database, select(*PAYMENT), Payment.user_id, keys=[(Payment.id, True)], order="id"
        )
        self.counts = counts_by_parent(database, select(func.count(Payment.id)), Payment.user_id)
        self.methods = rows_by_id(database, methods, PaymentMethod.id)
        self.method_pages = pages_by_parent(
            database, methods, PaymentMethod.user_id, keys=[(PaymentMethod.id, True)], order="id"
        )
        self.method_counts = counts_by_parent(
            database, select(func.count(PaymentMethod.id)).where(KEPT), PaymentMethod.user_id
        )
