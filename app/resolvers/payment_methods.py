"""Payment methods: decode, call one use case, wrap."""

from strawberry import Info

from app.context import Context
from app.schema.node import read_id
from app.schema.paying import (
    RemovePaymentMethodInput,
    RemovePaymentMethodPayload,
    SetDefaultPaymentMethodInput,
    SetDefaultPaymentMethodPayload,
    StartAddPaymentMethodInput,
    StartAddPaymentMethodPayload,
)
from app.schema.payments import PaymentMethod
from app.services import payment_methods

Request = Info[Context, None]


async def start_add_payment_method(
    info: Request, input: StartAddPaymentMethodInput
) -> StartAddPaymentMethodPayload | None:
    context = info.context
    secret = await payment_methods.start_adding(
        tools=context.deps.tools,
        user_id=context.me.user_id,
        idempotency_key=input.idempotency_key,
        now=context.now,
    )
    return StartAddPaymentMethodPayload(client_secret=secret)


async def set_default_payment_method(
    info: Request, input: SetDefaultPaymentMethodInput
) -> SetDefaultPaymentMethodPayload | None:
    context = info.context
    method_id = read_id(input.payment_method_id, of=PaymentMethod, field="paymentMethodId")
    await payment_methods.set_default(
        tools=context.deps.tools, user_id=context.me.user_id, method_id=method_id
    )
    [row] = await context.loaders.payments.methods([method_id])
    return SetDefaultPaymentMethodPayload(payment_method=PaymentMethod.from_row(row) if row else None)


async def remove_payment_method(
    info: Request, input: RemovePaymentMethodInput
) -> RemovePaymentMethodPayload | None:
    context = info.context
    await payment_methods.remove(
        tools=context.deps.tools,
        user_id=context.me.user_id,
        method_id=read_id(input.payment_method_id, of=PaymentMethod, field="paymentMethodId"),
        now=context.now,
    )
    return RemovePaymentMethodPayload(removed_id=input.payment_method_id)
