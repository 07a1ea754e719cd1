"""Refunds: decode, call one use case, wrap."""

from strawberry import Info

from app.context import Context
from app.schema.errors import as_data
from app.schema.node import read_id
from app.schema.payments import Payment
from app.schema.refunding import RefundPaymentInput, RefundPaymentPayload
from app.schema.refunds import Refund
from app.services import refunds


async def refund_payment(info: Info[Context, None], input: RefundPaymentInput) -> RefundPaymentPayload | None:
    context = info.context
    order = refunds.Order(
        payment_id=read_id(input.payment_id, of=Payment, field="paymentId"),
        amount_cents=None if input.amount_cents is None else int(input.amount_cents),
        reason=input.reason,
        idempotency_key=input.idempotency_key,
    )
    ordered = await refunds.refund(
        context.deps.tools, order, actor_id=context.me.user_id, address=context.address, now=context.now
    )
    refund = await context.loaders.payments.refunds.load(ordered.refund_id)
    payment = await context.loaders.payments.payments.load(order.payment_id)
    return RefundPaymentPayload(
        refund=Refund.from_row(refund),
        payment=Payment.from_row(payment),
        errors=[as_data(ordered.problem)] if ordered.problem else [],
    )
