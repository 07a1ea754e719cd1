"""Purchases and licences: decode, call one use case, wrap."""

from uuid import UUID

from strawberry import Info

from app.context import Context
from app.schema.access import readable
from app.schema.catalog import Package
from app.schema.errors import as_data
from app.schema.node import read_id
from app.schema.payments import Payment, PaymentMethod
from app.schema.purchases import Licence, LicenceKey, Purchase
from app.schema.purchasing import PurchasePackageInput, PurchasePackagePayload
from app.services import purchases

Request = Info[Context, None]


async def purchase_package(info: Request, input: PurchasePackageInput) -> PurchasePackagePayload | None:
    context, deps = info.context, info.context.deps
    shop = purchases.Shop(
        database=deps.database,
        signer=deps.signer,
        commission=deps.commission,
        tools=deps.tools if deps.provider else None,
    )
    bought = await purchases.purchase(
        shop, _wish(context, input), viewer=context.me, allowance=context.allowance, now=context.now
    )
    row = await context.loaders.purchases.purchases.load(bought.purchase_id)
    paid = await context.loaders.payments.of_purchase.load(bought.purchase_id)
    return PurchasePackagePayload(
        purchase=Purchase.from_row(row),
        payment=Payment.from_row(paid[0]) if paid else None,
        errors=[as_data(bought.problem)] if bought.problem else [],
    )


def _wish(context: Context, input: PurchasePackageInput) -> purchases.Wish:
    method = input.payment_method_id
    return purchases.Wish(
        package_id=read_id(input.package_id, of=Package, field="packageId"),
        version=input.version,
        idempotency_key=input.idempotency_key,
        method_id=read_id(method, of=PaymentMethod, field="paymentMethodId") if method else None,
        return_url=context.deps.base_url,
    )


async def licence_keys(info: Request) -> list[LicenceKey]:
    return [
        LicenceKey(kid=kid, public_key=public_key, algorithm="Ed25519")
        for kid, public_key in info.context.deps.signer.public_keys.items()
    ]


async def load_purchases(context: Context, ids: list[UUID]) -> list[Purchase | None]:
    rows = await context.loaders.purchases.purchases(ids)
    return readable(context.viewer, rows, Purchase.from_row)


async def load_licences(context: Context, ids: list[UUID]) -> list[Licence | None]:
    rows = await context.loaders.purchases.licences(ids)
    return readable(context.viewer, rows, Licence.from_row)
