"""Payments and payment methods, by id and by account."""

from sqlalchemy import func, select

from app.dataloaders.by_id import rows_by_id
from app.dataloaders.lists import counts_by_parent, lists_by_parent, pages_by_parent
from app.dataloaders.loader import LoaderGroup
from app.db.models import Payment, PaymentMethod
from app.db.repositories.payments import KEPT, PAYMENT, PAYMENT_METHOD

_METHODS = select(*PAYMENT_METHOD).where(KEPT)


class PaymentLoaders(LoaderGroup):
    payments = rows_by_id(select(*PAYMENT), Payment.id)
    pages = pages_by_parent(select(*PAYMENT), Payment.user_id, keys=[(Payment.id, True)], order="id")
    counts = counts_by_parent(select(func.count(Payment.id)), Payment.user_id)
    of_invoices = lists_by_parent(select(*PAYMENT).order_by(Payment.id), Payment.invoice_id)
    methods = rows_by_id(_METHODS, PaymentMethod.id)
    method_pages = pages_by_parent(
        _METHODS, PaymentMethod.user_id, keys=[(PaymentMethod.id, True)], order="id"
    )
    method_counts = counts_by_parent(select(func.count(PaymentMethod.id)).where(KEPT), PaymentMethod.user_id)
