"""Payments by id, account and purchase, what went back of them, and payment methods."""

from sqlalchemy import func, select

from app.dataloaders.by_id import rows_by_id
from app.dataloaders.lists import counts_by_parent, lists_by_parent, pages_by_parent
from app.dataloaders.loader import LoaderGroup
from app.db.models import Dispute, Payment, PaymentMethod, Refund
from app.db.repositories.disputes import DISPUTE
from app.db.repositories.payments import KEPT, PAYMENT, PAYMENT_METHOD
from app.db.repositories.refunds import REFUND

_REFUNDS = select(*REFUND, Payment.user_id).join(Payment, Payment.id == Refund.payment_id)
_DISPUTES = select(*DISPUTE, Payment.user_id).join(Payment, Payment.id == Dispute.payment_id)
_METHODS = select(*PAYMENT_METHOD).where(KEPT)


class PaymentLoaders(LoaderGroup):
    payments = rows_by_id(select(*PAYMENT), Payment.id)
    pages = pages_by_parent(select(*PAYMENT), Payment.user_id, keys=[(Payment.id, True)], order="id")
    counts = counts_by_parent(select(func.count(Payment.id)), Payment.user_id)
    of_invoices = lists_by_parent(select(*PAYMENT).order_by(Payment.id), Payment.invoice_id)
    of_purchase = lists_by_parent(select(*PAYMENT), Payment.purchase_id)
    refunds = rows_by_id(_REFUNDS, Refund.id)
    refunds_of = lists_by_parent(_REFUNDS.order_by(Refund.id), Refund.payment_id)
    refund_pages = pages_by_parent(_REFUNDS, Payment.user_id, keys=[(Refund.id, True)], order="id")
    refund_counts = counts_by_parent(
        select(func.count(Refund.id)).join(Payment, Payment.id == Refund.payment_id), Payment.user_id
    )
    disputes = rows_by_id(_DISPUTES, Dispute.id)
    disputes_of = lists_by_parent(_DISPUTES.order_by(Dispute.id), Dispute.payment_id)
    methods = rows_by_id(_METHODS, PaymentMethod.id)
    method_pages = pages_by_parent(
        _METHODS, PaymentMethod.user_id, keys=[(PaymentMethod.id, True)], order="id"
    )
    method_counts = counts_by_parent(select(func.count(PaymentMethod.id)).where(KEPT), PaymentMethod.user_id)
