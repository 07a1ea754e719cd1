"""Purchases, licences, download links."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.domain.documents import Document
from app.engine.strawberry_schema import batched
from app.schema.catalog import Package, PackageVersion
from app.schema.documents import document_url
from app.schema.enums import LicenceStatus, PurchaseStatus
from app.schema.money import Money
from app.schema.node import Node
from app.schema.payloads import Payload
from app.schema.scalars import BigInt

Request = Info[Context, None]


@strawberry.type(description="A key that proves licences.")
class LicenceKey:
    kid: str = strawberry.field(description="Its name, which every licence states.")
    public_key: str = strawberry.field(description="Its 32 bytes in base64.")
    algorithm: str = strawberry.field(description="Ed25519.")


async def load_packages(things: Sequence["OfPackage"], info: Request) -> list[Package]:
    rows = await info.context.loaders.catalog.packages([thing.package_id for thing in things])
    return list(map(Package.from_row, rows))


async def load_versions(things: Sequence["OfPackage"], info: Request) -> list[PackageVersion]:
    rows = await info.context.loaders.catalog.versions([thing.version_id for thing in things])
    return list(map(PackageVersion.from_row, rows))


@strawberry.type(description="A thing that was bought: a version of a package, with what belongs to both.")
class OfPackage:
    package_id: strawberry.Private[UUID]
    version_id: strawberry.Private[UUID]

    package: Package = batched(load_packages, description="The package, also when it is not listed any more.")
    version: PackageVersion = batched(load_versions, description="The version at the time of the purchase.")


@strawberry.type(description="The right to use what was bought.")
class Licence(OfPackage, Node):
    status: LicenceStatus = strawberry.field(description="Only an active one gives downloads.")
    document: str = strawberry.field(
        description="The signed file: text that people read and programs verify offline."
    )
    issued_at: datetime = strawberry.field(description="When it was given.")
    revoked_at: datetime | None = strawberry.field(description="When it was taken back.")

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "Licence":
        return super().from_row(row, status=LicenceStatus(row.status), **given)

    @strawberry.field(
        description="What proves the document: 32 bytes in base64. Null where that key is not kept any more."
    )
    def public_key(self, info: Request) -> str | None:
        signer = info.context.deps.signer
        return signer.public_keys.get(signer.key_id(self.document) or "")


async def load_licences(purchases: Sequence["Purchase"], info: Request) -> list[Licence | None]:
    found = await info.context.loaders.purchases.licences_of([each.purchase_id for each in purchases])
    return [Licence.from_row(rows[0]) if rows else None for rows in found]


@strawberry.type(description="A package that an account has bought, or is buying.")
class Purchase(OfPackage, Node):
    status: PurchaseStatus = strawberry.field(description="Where it stands.")
    amount: Money = strawberry.field(description="The price at the time.")
    receipt_number: str | None = strawberry.field(description="Of the receipt; numbers have no gaps.")
    created_at: datetime = strawberry.field(description="When it began.")
    completed_at: datetime | None = strawberry.field(description="When it was complete.")
    purchase_id: strawberry.Private[UUID]

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "Purchase":
        return super().from_row(
            row,
            purchase_id=row.id,
            status=PurchaseStatus(row.status),
            amount=Money(amount_cents=BigInt(row.amount_cents), currency=row.currency),
            **given,
        )

    licence: Licence | None = batched(
        load_licences, description="The right that it gave; null before it is complete."
    )

    @strawberry.field(
        description="A link to the receipt as PDF, good for an hour, for you alone. "
        "Null before it is complete."
    )
    def receipt_url(self, info: Request) -> str | None:
        if self.receipt_number is None:
            return None
        return document_url(info.context, Document.PURCHASE_RECEIPT, self.purchase_id)


@strawberry.input(description="What to download.")
class CreateDownloadInput:
    package_id: strawberry.ID = strawberry.field(description="The package.")
    version: str | None = strawberry.field(
        default=None, description="The latest unless given; by its name also one that was taken back."
    )
    file: str | None = strawberry.field(
        default=None, description="The file's path in the version; the first file unless given."
    )


@strawberry.type(description="A link that gives one file, once.")
class Download:
    url: str = strawberry.field(
        description="GET it without credentials, whole or by ranges, until every byte was delivered."
    )
    expires_at: datetime = strawberry.field(description="When the link ends.")
    sha256: str = strawberry.field(description="Of the file's bytes, as 64 hexadecimal digits.")
    size_bytes: BigInt = strawberry.field(description="How long the file is.")
    filename: str = strawberry.field(description="What the file is called.")


@strawberry.type(description="The link.")
class CreateDownloadPayload(Payload):
    download: Download | None = strawberry.field(default=None, description="The link and what it gives.")
