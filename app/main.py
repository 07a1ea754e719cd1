"""create_app(): the routes, what stands before them, and what runs beside them."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import resources
from importlib.metadata import version
from pathlib import Path

from graphql import OperationType
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from app import links, ops, webhooks
from app.api import Mutation, Query, accesses, build_schema
from app.bootstrap import Settings, build_deps, close_deps, load_settings
from app.context import Context, Deps
from app.gateways import tracing
from app.gateways.access_log import AccessLog
from app.operations import Accesses, Operations
from app.services.event_intake import Storing
from app.transfers import documents, downloads, licence_keys, uploads
from app.transport.draining import Drain
from app.transport.graphql_http import GraphQLHTTP
from app.transport.middleware import standard_middleware
from app.transport.operation_run import Options
from app.worker import Worker

STATIC = Path(str(resources.files("app").joinpath("static")))
ALWAYS_ANSWERED = ("/health", "/ready", "/metrics", "/api/v1/health", "/api/v1/ready")


def create_app(settings: Settings | None = None, *, deps: Deps | None = None, work: bool = True) -> Starlette:
    """The ASGI application; ``work``: this process does the background work too."""
    settings = settings or load_settings()
    deps = deps or build_deps(settings)
    drain, worker = Drain(), Worker(deps) if work else None
    operations = Operations(
        deps,
        _accesses(),
        wake=worker.wake if worker else None,
        remember_keys=settings.remember_api_keys_seconds,
    )
    storing = Storing(deps.database, clock=deps.clock, on_stored=worker.wake if worker else lambda: None)
    app = Starlette(
        routes=[*_routes(settings, deps, drain, operations), *webhooks.routes(deps, storing)],
        middleware=_middleware(settings, drain),
        lifespan=_lifespan(deps, worker),
    )
    app.state.drain, app.state.deps = drain, deps
    return app


def _accesses() -> Accesses:
    return {OperationType.QUERY: accesses(Query), OperationType.MUTATION: accesses(Mutation)}


def _routes(settings: Settings, deps: Deps, drain: Drain, operations: Operations) -> list[Route | Mount]:
    return [
        Route("/", lambda _: RedirectResponse("/graphql"), methods=["GET"]),
        Route("/graphql", _graphql(settings, operations)),
        *links.routes(deps),
        *uploads.routes(deps),
        *downloads.routes(deps),
        *documents.routes(deps),
        *licence_keys.routes(deps),
        *ops.routes(deps, drain),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]


def _graphql(settings: Settings, operations: Operations) -> GraphQLHTTP[Context]:
    suggestions = not settings.production
    return GraphQLHTTP(
        build_schema(suggestions=suggestions),
        operations,
        options=Options(introspection=bool(settings.graphql_introspection), suggestions=suggestions),
        allowed_origins=settings.cors_origins,
        ide=STATIC / "graphiql" / "index.html",
    )


def _middleware(settings: Settings, drain: Drain) -> list[Middleware]:
    return standard_middleware(
        drain=drain,
        allowed_origins=settings.cors_origins,
        undrained_paths=ALWAYS_ANSWERED,
        https_only=settings.base_url.startswith("https://"),
        observers=_observers(settings),
    )


def _observers(settings: Settings) -> list[Middleware]:
    traced = tracing.configure(settings.otel_exporter_otlp_endpoint, "revgraph", version("revgraph"))
    return [*([traced] if traced else []), Middleware(AccessLog), Middleware(ops.HttpMetrics)]


def _lifespan(deps: Deps, worker: Worker | None) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        running = asyncio.create_task(worker.run()) if worker else None
        calls = asyncio.create_task(deps.calls.run(deps.clock))
        gc.freeze()  # what stands now stays: collections that walk it again would hold requests up
        gc.set_threshold(
            10_000, 20, 20
        )  # a list of fifty makes more objects than the usual 700, and no cycles
        try:
            yield
        finally:
            if worker is not None and running is not None:
                worker.stop()
                await running
            deps.calls.stop()
            await calls
            await close_deps(deps)

    return lifespan
