"""revgraph with a part taken out, to see what the part costs. For measuring: nobody proves who they are."""

import gc
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from strawberry import Schema
from strawberry.types import ExecutionResult

from app.api import build_schema
from app.bootstrap import build_deps, load_settings
from app.cli.serving import application_without_worker
from app.context import Context
from app.db.repositories import accounts
from app.domain.api_keys import Role, grantable
from app.domain.plans import Tier
from app.domain.viewer import Viewer
from app.engine.strawberry_schema import EngineSchema
from app.operations import Operations
from app.transport.draining import Drain
from app.transport.graphql_http import GraphQLHTTP
from app.transport.hooks import Extras, Operation
from app.transport.middleware import standard_middleware
from app.transport.operation_run import Options


def engine_off() -> Starlette:
    """Executed by graphql-core, as Strawberry does it."""
    EngineSchema._get_execute_function = Schema._get_execute_function  # type: ignore[method-assign]  # taken out
    EngineSchema.is_plain = False  # type: ignore[method-assign,assignment]  # taken out
    EngineSchema._get_custom_context_kwargs = Schema._get_custom_context_kwargs  # type: ignore[method-assign]  # taken out
    return application_without_worker()


def bare() -> Starlette:
    settings = load_settings()
    deps = build_deps(settings)
    options = Options(introspection=False, suggestions=False)
    graphql = GraphQLHTTP(build_schema(suggestions=False), Trusting(deps, {}), options=options)
    gc.freeze()
    return Starlette(routes=[Route("/graphql", graphql)], middleware=standard_middleware(drain=Drain()))


class Trusting(Operations):
    """Believes the header ``x-user``, and looks each user up once in its life."""

    _known: dict[str, Viewer] = {}  # noqa: RUF012 - one application a process

    async def get_context(self, request: Request) -> Context:
        named = request.headers.get("x-user", "")
        if named and named not in self._known:
            self._known[named] = await self._viewer(UUID(named))
        return Context(
            deps=self.deps, viewer=self._known.get(named), now=self.deps.clock(), request_id="", address=None
        )

    async def _viewer(self, user_id: UUID) -> Viewer:
        async with self.deps.database.read() as connection:
            row = await accounts.by_id(connection, user_id)
        assert row is not None
        role = Role(row.role)
        return Viewer(
            user_id=row.id,
            username=row.username,
            role=role,
            tier=Tier(row.tier),
            anchor_at=row.created_at,
            scopes=grantable(role),
        )

    async def before_execute(self, context: Context, operation: Operation, extras: Extras) -> None:
        """Neither rate nor quota."""

    async def finish(
        self, context: Context, operation: Operation | None, result: ExecutionResult | None, _: Extras
    ) -> None:
        """No metrics."""
