"""Purchases and licences: decode, call one use case, wrap."""

from uuid import UUID

from strawberry import Info

from app.context import Context
from app.schema.access import readable
from app.schema.catalog import Package
from app.schema.node import read_id
from app.schema.purchases import Licence, LicenceKey, Purchase, PurchasePackageInput, PurchasePackagePayload
from app.services import purchases

Request = Info[Context, None]


async def purchase_package(info: Request, input: PurchasePackageInput) -> PurchasePackagePayload | None:
    context = info.context
    package_id = read_id(input.package_id, of=Package, field="packageId")
    purchase_id = await purchases.purchase(
        database=context.deps.database,
        signer=context.deps.signer,
        viewer=context.me,
        allowance=context.allowance,
        package_id=package_id,
        version=input.version,
        idempotency_key=input.idempotency_key,
        now=context.now,
    )
    row = await context.loaders.purchases.purchases.load(purchase_id)
    return PurchasePackagePayload(purchase=Purchase.from_row(row))


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
