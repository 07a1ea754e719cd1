"""What operators and their machines ask over HTTP: alive, ready, metrics."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.metadata import version
from time import monotonic, perf_counter

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app import metrics
from app.context import Deps
from app.db.migrate import current_revision, head_revision
from app.db.repositories import outbox
from app.domain.outbox import FactState
from app.transport.draining import Drain
from app.transport.outcomes import Outcome
from app.transport.route_names import route_of

READY_SECONDS = 2.0
GAUGES_SECONDS = 1.0
GAUGES_AGE_SECONDS = 5.0
_FRESH = {"cache-control": "no-store"}

log = structlog.get_logger(__name__)


def routes(deps: Deps, drain: Drain) -> list[Route]:
    ready, gauges = _ready(deps, drain), Gauges(deps)

    async def expose(request: Request) -> Response:
        await gauges.refresh()
        body, content_type = metrics.exposition(request.headers.get("accept", ""))
        return Response(body, headers={**_FRESH, "content-type": content_type})

    return [
        *(Route(path, health, methods=["GET"]) for path in ("/health", "/api/v1/health")),
        *(Route(path, ready, methods=["GET"]) for path in ("/ready", "/api/v1/ready")),
        Route("/metrics", expose, methods=["GET"]),
    ]


async def health(_: Request) -> Response:
    """The process answers; nothing else is asked, so that an outage elsewhere restarts no server."""
    return JSONResponse({"status": "ok", "version": version("revgraph")}, headers=_FRESH)


def _ready(deps: Deps, drain: Drain) -> Callable[[Request], Awaitable[Response]]:
    async def ready(_: Request) -> Response:
        reasons = ["The server is stopping."] if drain.stopping else await _why_not(deps)
        if not reasons:
            return JSONResponse({"status": "ready"}, headers=_FRESH)
        return JSONResponse({"status": "unavailable", "reasons": reasons}, status_code=503, headers=_FRESH)

    return ready


async def _why_not(deps: Deps) -> list[str]:
    """Storage and mail are not asked: most works without them, and all replicas would go at once."""
    try:
        async with asyncio.timeout(READY_SECONDS), deps.database.read() as connection:
            revision = await current_revision(connection)
    except TimeoutError:
        return [f"The database did not answer within {READY_SECONDS:g} seconds."]
    except Exception as error:  # noqa: BLE001 - whatever it is, the server is not ready, and the probe must hear it
        log.warning("not_ready", error=f"{type(error).__name__}: {error}")
        return [f"The database cannot be reached ({type(error).__name__}); the log says more."]
    if revision == _head():
        return []
    has = f"is at revision {revision}" if revision else "has no tables yet"
    return [f"The database {has}, and this program needs {_head()}: run 'revgraph migrate'."]


_head = cache(head_revision)


class Gauges:
    """What the database counts is asked when it is scraped, and not more often than every few seconds."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._refreshed_at = float("-inf")

    async def refresh(self) -> None:
        if monotonic() - self._refreshed_at < GAUGES_AGE_SECONDS:
            return
        self._refreshed_at = monotonic()
        waiting = dead = float("nan")  # unknown is not zero
        try:
            async with asyncio.timeout(GAUGES_SECONDS), self._deps.database.read() as connection:
                backlog = await outbox.backlog(connection)
            waiting, dead = backlog.get(FactState.WAITING, 0), backlog.get(FactState.DEAD, 0)
        except Exception as error:  # noqa: BLE001 - the other metrics matter most when the database is away
            log.warning("backlog_unknown", error=f"{type(error).__name__}: {error}")
        for pool, (in_use, limit) in self._deps.database.pools().items():
            metrics.DATABASE_CONNECTIONS.labels(pool, "in_use").set(in_use)
            metrics.DATABASE_CONNECTIONS.labels(pool, "limit").set(limit)
        metrics.OUTBOX_WAITING.set(waiting)
        metrics.OUTBOX_DEAD.set(dead)


class HttpMetrics:
    """Counts and times every request under its route's pattern and status."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        outcome, begun, failed = Outcome(send), perf_counter(), True
        try:
            await self.app(scope, receive, outcome.send)
            failed = False
        finally:
            labels = (route_of(scope), str(outcome.final(failed=failed)))
            metrics.HTTP_REQUESTS.labels(*labels).inc()
            metrics.HTTP_SECONDS.labels(*labels).observe(perf_counter() - begun)
