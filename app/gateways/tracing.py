"""Where did the time of a request go? OpenTelemetry spans, sent by OTLP over HTTP; off without an endpoint.

The SDK is imported only when it is wanted, so that without an endpoint tracing costs nothing at all.
"""

from typing import TYPE_CHECKING

import structlog
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.transport.outcomes import Outcome
from app.transport.route_names import route_of

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

EXPORT_TIMEOUT_SECONDS = 5
_TRACES = "/v1/traces"


def configure(endpoint: str, service_name: str, version: str = "") -> Middleware | None:
    """The middleware that traces, or None without an endpoint; what is left is sent when the process ends.

    ``endpoint`` is the collector's base URL, as OTEL_EXPORTER_OTLP_ENDPOINT has it ("http://localhost:4318").
    """
    if not endpoint:
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    base = endpoint.rstrip("/").removesuffix(_TRACES)
    provider = TracerProvider(
        resource=Resource.create({"service.name": service_name, "service.version": version})
    )
    exporter = OTLPSpanExporter(endpoint=base + _TRACES, timeout=EXPORT_TIMEOUT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Middleware(Tracing, tracer=provider.get_tracer(service_name, version))


class Tracing:
    """One server span a request, under the caller's span where it sends ``traceparent``."""

    def __init__(self, app: ASGIApp, *, tracer: "Tracer") -> None:
        from opentelemetry.trace import SpanKind

        self.app, self.tracer, self._kind = app, tracer, SpanKind.SERVER

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        outcome, failed = Outcome(send), True
        with self.tracer.start_as_current_span(
            scope["method"], context=_callers(scope), kind=self._kind, record_exception=True
        ) as span:
            trace_id = f"{span.get_span_context().trace_id:032x}"
            with structlog.contextvars.bound_contextvars(trace_id=trace_id):
                try:
                    await self.app(scope, receive, outcome.send)
                    failed = False
                finally:
                    _describe(span, scope, outcome.final(failed=failed))


def _callers(scope: Scope) -> "Context":
    """W3C Trace Context; headers that are not well-formed begin a new trace."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return TraceContextTextMapPropagator().extract(headers)


def _describe(span: "Span", scope: Scope, status: int) -> None:
    """By the semantic conventions for HTTP servers. No path: it may hold a download's token."""
    from opentelemetry.trace import StatusCode

    route = route_of(scope)
    span.update_name(f"{scope['method']} {route}")
    span.set_attributes(
        {
            "http.request.method": scope["method"],
            "http.route": route,
            "http.response.status_code": status,
            "url.scheme": scope.get("scheme", "http"),
            "revgraph.request_id": str(scope.get("state", {}).get("request_id", "")),
        }
    )
    if status >= 500:
        span.set_status(StatusCode.ERROR)
