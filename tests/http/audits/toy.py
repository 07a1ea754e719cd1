"""A small schema with hooks of its own behind the real transport."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import strawberry
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from strawberry.types import ExecutionResult

from app.transport.draining import Drain
from app.transport.graphql_http import GraphQLHTTP
from app.transport.hooks import Extras, Operation
from app.transport.middleware import standard_middleware
from app.transport.operation_run import Options
from app.transport.prepared_document import PreparedDocument
from app.transport.presentation import present_field_error
from app.transport.refusal import Refusal


class SoldOut(Exception):
    """Stands for an exception that the application knows how to translate."""


@strawberry.type
class User:
    name: str

    @strawberry.field
    def friends(self, first: int = 20) -> list["User"]:
        return [User(name=f"friend {number}") for number in range(first)]


@strawberry.input
class Filter:
    tags: list[str]
    size: int


@strawberry.type
class Query:
    @strawberry.field
    def me(self) -> User:
        return User(name="Ada")

    @strawberry.field
    def echo(self, text: str) -> str:
        return text

    @strawberry.field
    def count(self, where: Filter) -> int:
        return len(where.tags)

    @strawberry.field
    def surrogate(self) -> str:
        return "\ud800"

    @strawberry.field
    def maybe(self) -> str | None:
        raise GraphQLError("Not today.", extensions={"code": "NOT_TODAY", "day": "Monday"})

    @strawberry.field
    def broken(self) -> str | None:
        raise ValueError("secret detail")

    @strawberry.field
    def sold_out(self) -> str:
        raise SoldOut

    @strawberry.field
    async def slow(self, seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "done"


@dataclass
class Counter:
    value: int = 0


@strawberry.type
class Mutation:
    @strawberry.mutation
    def increase(self, info: strawberry.Info[Any, None]) -> int:
        counter: Counter = info.context
        counter.value += 1
        return counter.value


class Tells(strawberry.extensions.SchemaExtension):
    """An extension that shows whether Strawberry ran it, and what it was given to execute."""

    def get_results(self) -> dict[str, Any]:
        return {"operation": self.execution_context.operation_name}


schema = strawberry.Schema(query=Query, mutation=Mutation, extensions=[PreparedDocument, Tells])


@dataclass
class ToyHooks:
    counter: Counter = field(default_factory=Counter)
    operations: list[Operation] = field(default_factory=list)
    finished: list[tuple[str | None, bool]] = field(default_factory=list)

    async def get_context(self, request: Request) -> Counter:
        if request.headers.get("authorization") == "Bearer wrong":
            raise Refusal(
                "Sign in again.", code="UNAUTHENTICATED", status=401, headers={"www-authenticate": "Bearer"}
            )
        if request.headers.get("authorization") == "Bearer crash":
            raise RuntimeError("secret detail")
        return self.counter

    async def before_execute(self, context: Counter, operation: Operation, extras: Extras) -> None:
        self.operations.append(operation)
        extras.headers["x-fields"] = str(len(operation.root_fields))
        extras.extensions["fields"] = list(operation.root_fields)
        if operation.root_fields.count("me") > 2:
            facts = {"used": 3, "limit": 2}
            raise Refusal(
                "Too often.", code="QUOTA_EXCEEDED", status=429, facts=facts, headers={"retry-after": "9"}
            )

    def present_error(self, error: GraphQLError, request_id: str) -> dict[str, Any]:
        if isinstance(error.original_error, SoldOut):
            return {"message": "Sold out.", "extensions": {"code": "SOLD_OUT", "left": 0}}
        return present_field_error(error, request_id)

    async def finish(
        self, context: Counter, operation: Operation | None, result: ExecutionResult | None, extras: Extras
    ) -> None:
        self.finished.append((operation.name if operation else None, result is not None))


@dataclass
class Toy:
    app: Starlette
    hooks: ToyHooks
    drain: Drain
    endpoint: GraphQLHTTP[Counter]


async def upload(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def crash(request: Request) -> Response:
    raise RuntimeError("secret detail")


def build(
    *,
    options: Options | None = None,
    origins: tuple[str, ...] = (),
    ide: Path | None = None,
    https: bool = False,
) -> Toy:
    hooks, drain = ToyHooks(), Drain()
    endpoint = GraphQLHTTP(schema, hooks, options=options or Options(), allowed_origins=origins, ide=ide)
    routes = [
        Route("/graphql", endpoint),
        Route("/uploads/{name}", upload, methods=["PUT"]),
        Route("/crash", crash),
    ]
    middleware = standard_middleware(
        drain=drain, allowed_origins=origins, undrained_paths=["/health"], https_only=https
    )
    return Toy(Starlette(routes=routes, middleware=middleware), hooks, drain, endpoint)
