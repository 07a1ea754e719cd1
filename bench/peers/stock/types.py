"""The types: revgraph's names and shapes, for the part that the operations ask of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Generic, NewType, TypeVar

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from app.db import models
from app.schema import enums
from app.schema.node import global_id

BigInt = NewType("BigInt", int)
NodeType = TypeVar("NodeType")
Request = strawberry.Info[dict[str, Any], None]


def _write(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_SCALARS: dict[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(name="BigInt", serialize=int, parse_value=int),
    datetime: strawberry.scalar(name="DateTime", serialize=_write, parse_value=datetime.fromisoformat),
}
CONFIG = StrawberryConfig(scalar_map=_SCALARS)


@strawberry.type
class PageInfo:
    has_next_page: bool


@strawberry.type
class Edge(Generic[NodeType]):
    node: NodeType


@strawberry.type
class Connection(Generic[NodeType]):
    edges: list[Edge[NodeType]]
    page_info: PageInfo

    @classmethod
    def of(cls, rows: list[Any], size: int, make: Any) -> Connection[NodeType]:
        """``rows`` has one more than ``size`` where more follows."""
        edges = [Edge(node=make(row)) for row in rows[:size]]
        return cls(edges=edges, page_info=PageInfo(has_next_page=len(rows) > size))


@strawberry.type
class Money:
    amount_cents: BigInt
    currency: str


@strawberry.interface
class Node:
    id: strawberry.ID


@strawberry.type
class Subscription(Node):
    tier: enums.Tier
    status: enums.SubscriptionStatus
    cancel_at_period_end: bool
    created_at: datetime

    @classmethod
    def of(cls, row: models.Subscription) -> Subscription:
        return cls(
            id=global_id("Subscription", row.id),
            tier=enums.Tier(row.tier),
            status=enums.SubscriptionStatus(row.status),
            cancel_at_period_end=row.cancel_at_period_end,
            created_at=row.created_at,
        )


@strawberry.type
class ApiKey(Node):
    name: str
    prefix: str
    scopes: list[enums.Scope]
    created_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, row: models.ApiKey) -> ApiKey:
        return cls(
            id=global_id("ApiKey", row.id),
            name=row.name,
            prefix=row.prefix,
            scopes=[enums.Scope(each) for each in row.scopes],
            created_at=row.created_at,
            last_used_at=row.last_used_at,
        )


@strawberry.type
class Invoice:
    number: str | None
    status: enums.InvoiceStatus
    total: Money
    period_start: datetime | None
    period_end: datetime | None
    paid_at: datetime | None

    @classmethod
    def of(cls, row: models.Invoice) -> Invoice:
        return cls(
            number=row.number,
            status=enums.InvoiceStatus(row.status),
            total=Money(amount_cents=BigInt(row.total_cents), currency=row.currency),
            period_start=row.period_start,
            period_end=row.period_end,
            paid_at=row.paid_at,
        )


@strawberry.type
class User(Node):
    email: str
    username: str
    tier: enums.Tier
    role: enums.Role
    created_at: datetime
    row: strawberry.Private[models.User]

    @classmethod
    def of(cls, row: models.User) -> User:
        return cls(
            id=global_id("User", row.id),
            email=row.email,
            username=row.username,
            tier=enums.Tier(row.tier),
            role=enums.Role(row.role),
            created_at=row.created_at,
            row=row,
        )

    @strawberry.field
    async def subscription(self, info: Request) -> Subscription | None:
        row = await info.context["loaders"].subscriptions.load(self.row.id)
        return Subscription.of(row) if row else None

    @strawberry.field
    async def api_keys(self, info: Request, first: int = 20) -> Connection[ApiKey]:
        rows = await info.context["loaders"].api_keys.load(self.row.id)
        return Connection.of(rows, first, ApiKey.of)

    @strawberry.field
    async def invoices(self, info: Request, first: int = 20) -> Connection[Invoice]:
        rows = await info.context["loaders"].invoices.load(self.row.id)
        return Connection.of(rows, first, Invoice.of)


@strawberry.type
class PackageVersion(Node):
    version: str

    @classmethod
    def of(cls, row: models.PackageVersion) -> PackageVersion:
        return cls(id=global_id("PackageVersion", row.id), version=row.version)


@strawberry.type
class Package(Node):
    slug: str
    name: str
    downloads: BigInt
    rating_count: int
    published_at: datetime | None
    row: strawberry.Private[models.Package]

    @classmethod
    def of(cls, row: models.Package) -> Package:
        return cls(
            id=global_id("Package", row.id),
            slug=row.slug,
            name=row.name,
            downloads=BigInt(row.downloads),
            rating_count=row.rating_count,
            published_at=row.published_at,
            row=row,
        )

    @strawberry.field
    def price(self) -> Money:
        return Money(amount_cents=BigInt(self.row.price_cents), currency=self.row.currency)

    @strawberry.field
    def rating(self) -> float | None:
        count = self.row.rating_count
        return (200 * self.row.rating_sum + count) // (2 * count) / 100 if count else None

    @strawberry.field
    async def author(self, info: Request) -> Author:
        return Author.of(await info.context["loaders"].authors.load(self.row.author_id))

    @strawberry.field
    async def versions(self, info: Request, first: int = 20) -> Connection[PackageVersion]:
        rows = await info.context["loaders"].versions.load(self.row.id)
        return Connection.of(rows, first, PackageVersion.of)


@strawberry.type
class Author(Node):
    username: str
    row: strawberry.Private[models.Author]

    @classmethod
    def of(cls, row: models.Author) -> Author:
        return cls(id=global_id("Author", row.id), username=row.username, row=row)

    @strawberry.field
    async def packages(self, info: Request, first: int = 20) -> Connection[Package]:
        rows = await info.context["loaders"].packages.load(self.row.id)
        return Connection.of(rows, first, Package.of)


@strawberry.type
class Purchase(Node):
    status: enums.PurchaseStatus
    amount: Money
    package: Package
    version: PackageVersion


@strawberry.type
class Error:
    code: str
    message: str


@strawberry.type
class PurchasePackagePayload:
    errors: list[Error]
    purchase: Purchase | None


@strawberry.input
class PurchasePackageInput:
    package_id: strawberry.ID
    idempotency_key: str
