"""The root fields and the ASGI application: `uvicorn bench.peers.stock.server:app`."""

import os
from hashlib import sha256
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from strawberry.asgi import GraphQL

from app.db import models
from app.gateways.licences import Ed25519Signer
from app.schema.enums import PackageSort, PurchaseStatus
from app.schema.node import global_id, split_id
from bench.peers.stock.buying import buy
from bench.peers.stock.loaders import Loaders
from bench.peers.stock.types import (
    CONFIG,
    Author,
    BigInt,
    Connection,
    Error,
    Money,
    Node,
    Package,
    PackageVersion,
    Purchase,
    PurchasePackageInput,
    PurchasePackagePayload,
    Request,
    User,
)

SEARCH = text("SELECT * FROM bench.search_packages(:asked) LIMIT :most")
LISTED = models.Package.status.in_(("published", "deprecated"))

engine = create_async_engine(
    os.environ["PEER_DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:"), pool_size=10
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
signer = Ed25519Signer(sha256(b"made for measuring").digest())


async def _node(info: Request, id: str) -> Node | None:
    kind, uuid = split_id(id) or ("", UUID(int=0))
    loaders = info.context["loaders"]
    if kind == "Package":
        package = await loaders.packages_by_id.load(uuid)
        return Package.of(package) if package else None
    author = await loaders.authors.load(uuid) if kind == "Author" else None
    return Author.of(author) if author else None


@strawberry.type
class Query:
    @strawberry.field
    async def viewer(self, info: Request) -> User | None:
        async with sessions() as session:
            row = await session.get(models.User, info.context["user"])
        return User.of(row) if row else None

    @strawberry.field
    async def node(self, info: Request, id: strawberry.ID) -> Node | None:
        return await _node(info, id)

    @strawberry.field
    async def nodes(self, info: Request, ids: list[strawberry.ID]) -> list[Node | None]:
        loaders = info.context["loaders"]
        split = [split_id(each) for each in ids]
        rows = await loaders.authors.load_many([each[1] for each in split if each])
        return [Author.of(row) if row else None for row in rows]

    @strawberry.field
    async def packages(
        self,
        query: str | None = None,
        sort: PackageSort = PackageSort.RELEVANCE,  # noqa: ARG002 - follows from the query here
        first: int = 20,
    ) -> Connection[Package]:
        listed = select(models.Package).where(LISTED)
        statement = listed.order_by(models.Package.downloads.desc(), models.Package.id.desc()).limit(
            first + 1
        )
        async with sessions() as session:
            if query:
                found = select(models.Package).from_statement(SEARCH.bindparams(asked=query, most=first + 1))
                rows = (await session.scalars(found)).all()
            else:
                rows = (await session.scalars(statement)).all()
        return Connection.of(list(rows), first, Package.of)


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def purchase_package(self, info: Request, input: PurchasePackageInput) -> PurchasePackagePayload:
        _, package_id = split_id(input.package_id) or ("", UUID(int=0))
        bought = await buy(sessions, signer, user_id=info.context["user"], package_id=package_id)
        if bought is None:
            owned = Error(code="ALREADY_OWNED", message="You have it.")
            return PurchasePackagePayload(errors=[owned], purchase=None)
        row, package, version = bought
        purchase = Purchase(
            id=global_id("Purchase", row.id),
            status=PurchaseStatus(row.status),
            amount=Money(amount_cents=BigInt(row.amount_cents), currency=row.currency),
            package=Package.of(package),
            version=PackageVersion.of(version),
        )
        return PurchasePackagePayload(errors=[], purchase=purchase)


class Server(GraphQL[Any, Any]):
    async def get_context(self, request: Any, response: Any) -> dict[str, Any]:  # noqa: ARG002 - Strawberry's signature
        return {"user": UUID(request.headers["x-user"]), "loaders": Loaders(sessions)}


app = Server(strawberry.Schema(query=Query, mutation=Mutation, config=CONFIG))
