"""What operators and their machines ask over HTTP: alive, ready, metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import version
from time import monotonic, perf_counter
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app import metrics
from app.context import Deps
from app.db.migrate import current_revision, head_revision
from app.db.repositories import outbox, reconciliation, webhook_events
from app.domain.outbox import FactState, Topic
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
        await self._refresh_backlog(self._deps.clock())
        for pool, (in_use, limit) in self._deps.database.pools().items():
            metrics.DATABASE_CONNECTIONS.labels(pool, "in_use").set(in_use)
            metrics.DATABASE_CONNECTIONS.labels(pool, "limit").set(limit)

    async def _refresh_backlog(self, now: datetime) -> None:
        try:
            async with asyncio.timeout(GAUGES_SECONDS), self._deps.database.read() as connection:
                facts = await outbox.backlog(connection, now=now)
                events = await webhook_events.backlog(connection)
                reconciled = await reconciliation.last_report(connection)
        except Exception as error:  # noqa: BLE001 - the other metrics matter most when the database is away
            log.warning("backlog_unknown", error=f"{type(error).__name__}: {error}")
            metrics.backlog_unknown(Topic)
            return
        for topic in Topic:
            rows = {row.state: row for row in facts if row.topic == topic}
            waiting, dead = rows.get(FactState.WAITING), rows.get(FactState.DEAD)
            metrics.OUTBOX_WAITING.labels(topic).set(waiting.facts if waiting else 0)
            metrics.OUTBOX_OLDEST.labels(topic).set(_age(waiting.oldest if waiting else None, now))
            metrics.OUTBOX_DEAD.labels(topic).set(dead.facts if dead else 0)
        waiting_events, oldest, dead_events = events
        metrics.WEBHOOK_EVENTS_WAITING.set(waiting_events)
        metrics.WEBHOOK_EVENTS_OLDEST.set(_age(oldest, now))
        metrics.WEBHOOK_EVENTS_DEAD.set(dead_events)
        _tell_reconciliation(reconciled)


def _tell_reconciliation(last: tuple[datetime, Mapping[str, Any]] | None) -> None:
    if last is None:
        metrics.RECONCILED_AT.set(0)
        return
    at, found = last
    metrics.RECONCILED_AT.set(at.timestamp())
    metrics.RECONCILIATION_MISSED.set(found["missed"])
    metrics.RECONCILIATION_FAILED.set(found["failed"])
    for kind, number in found["drifted"].items():
        metrics.RECONCILIATION_DRIFTED.labels(kind).set(number)


def _age(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0) if since else 0


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
            metrics.http_request(
                route_of(scope), outcome.final(failed=failed), seconds=perf_counter() - begun
            )
