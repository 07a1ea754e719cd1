"""Do operators' machines get true answers: alive, ready, metrics, log lines, traces?"""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path
from threading import Thread

import httpx
import pytest
import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import metrics
from app.bootstrap import Settings, build_deps
from app.db.migrate import head_revision
from app.db.repositories import outbox
from app.domain.outbox import Topic
from app.gateways import tracing
from app.gateways.access_log import AccessLog
from app.gateways.redaction import redact, without_secrets
from app.main import create_app
from app.ops import HttpMetrics
from app.transport.request_id import RequestId
from tests.support.clients import Api, sign_up

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize("path", ["/health", "/api/v1/health"])
async def test_the_process_says_that_it_is_alive(api: Api, path: str) -> None:
    answer = await api.http.get(path)

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": version("revgraph")}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/ready", "/api/v1/ready"])
async def test_a_migrated_database_makes_it_ready(api: Api, path: str) -> None:
    answer = await api.http.get(path)

    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


async def test_a_database_of_another_revision_makes_it_not_ready(api: Api) -> None:
    async with api.deps.database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    answer = await api.http.get("/ready")

    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "reasons": [
            (
                f"The database is at revision 0000, and this program needs {head_revision()}: "
                "run 'revgraph migrate'."
            )
        ],
    }


async def test_an_empty_database_makes_it_not_ready(tmp_path: Path) -> None:
    async with client_of(_settings(tmp_path, f"sqlite:///{tmp_path}/empty.db")) as http:
        answer = await http.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["reasons"] == [
        f"The database has no tables yet, and this program needs {head_revision()}: run 'revgraph migrate'."
    ]


async def test_a_database_that_is_away_makes_it_not_ready_but_alive(tmp_path: Path) -> None:
    url = "postgresql://revgraph:very-secret@127.0.0.1:1/revgraph"
    async with client_of(_settings(tmp_path, url)) as http:
        ready, alive, scraped = (
            await http.get("/ready"),
            await http.get("/health"),
            await http.get("/metrics"),
        )

    assert ready.status_code == 503
    (reason,) = ready.json()["reasons"]
    assert reason.startswith("The database cannot be reached (")
    assert "very-secret" not in ready.text
    assert alive.status_code == 200
    assert scraped.status_code == 200
    assert 'revgraph_outbox_waiting{topic="account.verify_email"} NaN' in scraped.text, "unknown is not zero"


async def test_a_database_that_does_not_answer_is_waited_for_two_seconds(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://revgraph@127.0.0.1:{silent.getsockname()[1]}/revgraph"
        async with client_of(_settings(tmp_path, url)) as http:
            begun = time.monotonic()
            answer = await http.get("/ready")
            waited = time.monotonic() - begun

    assert answer.json()["reasons"] == ["The database did not answer within 2 seconds."]
    assert 1.9 < waited < 4


async def test_a_server_that_stops_is_not_ready_but_answers(api: Api) -> None:
    api.app.state.drain.stop()

    ready, alive = await api.http.get("/ready"), await api.http.get("/health")
    refused = await api("{ plans { name } }")

    assert (ready.status_code, ready.json()["reasons"]) == (503, ["The server is stopping."])
    assert alive.status_code == 200
    assert refused.response.status_code == 503


async def test_other_methods_are_refused(api: Api) -> None:
    assert (await api.http.post("/health")).status_code == 405
    assert (await api.http.delete("/metrics")).status_code == 405


async def test_metrics_are_what_prometheus_reads(api: Api) -> None:
    await api("{ plans { name } }")
    async with api.deps.database.transaction() as connection:
        await outbox.add(connection, Topic.VERIFY_EMAIL, {"user_id": "x"}, now=NOW)
        await outbox.add(connection, Topic.VERIFY_EMAIL, {"user_id": "y"}, now=NOW)

    answer = await api.http.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    samples = _samples(answer.text)
    mails = (("topic", "account.verify_email"),)
    assert samples["revgraph_outbox_waiting", mails] == 2
    assert samples["revgraph_outbox_oldest_seconds", mails] == (api.clock.now - NOW).total_seconds()
    assert samples["revgraph_outbox_dead", mails] == 0
    assert samples["revgraph_outbox_waiting", (("topic", "quota.near"),)] == 0
    assert samples["revgraph_webhook_events_waiting", ()] == 0
    assert samples["revgraph_webhook_events_dead", ()] == 0
    assert samples["revgraph_http_requests_total", (("route", "/graphql"), ("status", "200"))] >= 1


async def test_a_route_is_counted_by_its_pattern_and_never_by_its_path(api: Api) -> None:
    before = _counted("/downloads/{token}", "404")
    for number in range(3):
        await api.http.get(f"/downloads/unknown-{number}")
    for number in range(3):
        await api.http.get(f"/no/such/place/{number}")

    exposed = (await api.http.get("/metrics")).text

    assert _counted("/downloads/{token}", "404") == before + 3
    assert "unknown-1" not in exposed
    assert "no/such" not in exposed
    assert _counted("unmatched", "404") >= 3


async def test_what_fails_is_counted_as_500_and_what_the_client_left_as_499() -> None:
    app = _observed(HttpMetrics)
    before = _counted("/fails", "500"), _counted("/silent", "499")

    async with _http(app) as http:
        assert (await http.get("/fails")).status_code == 500
    await app(_scope("/silent"), _never, _nowhere)

    assert (_counted("/fails", "500"), _counted("/silent", "499")) == (before[0] + 1, before[1] + 1)


async def test_other_traffic_than_http_passes_the_observers() -> None:
    seen: list[str] = []

    async def inner(scope: object, receive: object, send: object) -> None:
        seen.append(scope["type"])  # type: ignore[index]  # a scope is a dict

    middleware = tracing.configure("http://127.0.0.1:1", "revgraph")
    assert middleware is not None
    for observer in (HttpMetrics(inner), AccessLog(inner), middleware.cls(inner, **middleware.kwargs)):
        await observer({"type": "websocket"}, _never, _nowhere)

    assert seen == ["websocket"] * 3


async def test_each_request_leaves_one_line_with_its_id(api: Api) -> None:
    person = await sign_up(api)
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        answer = await person.api.http.post(
            "/graphql?token=in-the-query",
            json={"query": "{ viewer { username } }"},
            headers={**person.api.headers, "x-request-id": "my-id-1"},
        )

    (line,) = [line for line in lines if line["event"] == "request"]
    assert answer.headers["x-request-id"] == "my-id-1"
    assert line["request_id"] == "my-id-1"
    assert (line["method"], line["path"], line["route"], line["status"]) == (
        "POST",
        "/graphql",
        "/graphql",
        200,
    )
    assert line["bytes"] == len(answer.content)
    assert 0 < line["duration_ms"] < 60_000
    assert len(line["viewer"]) == 36
    assert "in-the-query" not in json.dumps(line, default=str)
    assert person.access_token not in json.dumps(line, default=str)


async def test_nobody_is_no_viewer(api: Api) -> None:
    with structlog.testing.capture_logs() as lines:
        await api("{ plans { name } }")

    (line,) = [line for line in lines if line["event"] == "request"]
    assert "viewer" not in line


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/downloads/AbC-123_x?part=1", "/downloads/[redacted]?part=1"),
        ("PUT /uploads/secret HTTP/1.1", "PUT /uploads/[redacted] HTTP/1.1"),
        ("/downloads/{token}", "/downloads/{token}"),
        ("https://x.example/verify?token=abc&next=1", "https://x.example/verify?token=[redacted]&next=1"),
        ("Authorization: Bearer abcdefghijk", "Authorization: Bearer [redacted]"),
        ("the bearer of bad news", "the bearer of bad news"),
        ("key rg_live_abcd0123456789 used", "key rg_live_abcd[redacted] used"),
        ("eyJhbGci.eyJzdWIi.c2ln-x_", "[redacted]"),
        ("sk_live_51Habc and whsec_xyz", "sk_live_[redacted] and whsec_[redacted]"),
        ("postgresql://me:pass@db/x", "postgresql://me:[redacted]@db/x"),
        ("nothing to hide: 100%", "nothing to hide: 100%"),
    ],
)
def test_secrets_are_taken_out_of_texts(given: str, kept: str) -> None:
    assert without_secrets(given) == kept


def test_secrets_are_taken_out_of_lines_however_deep() -> None:
    line = redact(
        None,
        "info",
        {
            "event": "x",
            "password": "hunter2",
            "token": None,
            "headers": {"Authorization": "Basic abc", "accept": "*/*"},
            "paths": ["/downloads/abc", 7],
            "text": "your link: https://x/?token=kept",
        },
    )

    assert line == {
        "event": "x",
        "password": "[redacted]",
        "token": None,
        "headers": {"Authorization": "[redacted]", "accept": "*/*"},
        "paths": ["/downloads/[redacted]", 7],
        "text": "your link: https://x/?token=kept",
    }


def test_without_an_endpoint_nothing_is_traced() -> None:
    assert tracing.configure("", "revgraph") is None


async def test_spans_reach_a_collector_under_the_callers_trace() -> None:
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with collector() as (endpoint, received):
        middleware = tracing.configure(endpoint, "revgraph-test", "1.2.3")
        assert middleware is not None
        app = _observed(lambda app: middleware.cls(app, **middleware.kwargs))
        async with _http(app) as http:
            await http.get("/things/42", headers={"traceparent": caller, "x-request-id": "rid-1"})
            await http.get("/fails", headers={"traceparent": "nonsense"})
        middleware.kwargs["tracer"].span_processor.force_flush()

    (resource,) = [each for request in received for each in request.resource_spans][:1]
    assert ("service.name", "revgraph-test") in [
        (a.key, a.value.string_value) for a in resource.resource.attributes
    ]
    spans = [
        span
        for request in received
        for r in request.resource_spans
        for s in r.scope_spans
        for span in s.spans
    ]
    assert [span.name for span in spans] == ["GET /things/{number}", "GET /fails"]
    good, failed = spans
    assert good.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert good.parent_span_id.hex() == "b7ad6b7169203331"
    attributes = {a.key: a.value.string_value or a.value.int_value for a in good.attributes}
    assert attributes == {
        "http.request.method": "GET",
        "http.route": "/things/{number}",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "revgraph.request_id": "rid-1",
    }
    assert failed.trace_id.hex() != "0af7651916cd43dd8448eb211c80319c"
    assert failed.parent_span_id == b""
    assert failed.status.code == 2, "an error"


async def test_an_absent_collector_hurts_nobody() -> None:
    middleware = tracing.configure("http://127.0.0.1:1/v1/traces/", "revgraph")
    assert middleware is not None
    async with _http(_observed(lambda app: middleware.cls(app, **middleware.kwargs))) as http:
        assert (await http.get("/things/1")).status_code == 200


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """A stand-in that takes OTLP over HTTP."""
    received: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.path == "/v1/traces"
            received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _observed(observer: Callable[..., object]) -> Starlette:
    async def things(_: Request) -> Response:
        return Response("ok")

    async def fails(_: Request) -> Response:
        raise RuntimeError("as it happens")

    async def silent(scope: object, receive: object, send: object) -> None:
        """Ends without an answer, as when the client has gone."""

    routes = [Route("/things/{number}", things), Route("/fails", fails), Route("/silent", _Raw(silent))]
    app = Starlette(routes=routes)
    app.add_middleware(observer)  # type: ignore[arg-type]  # anything that takes the app
    app.add_middleware(RequestId)
    return app


class _Raw:
    def __init__(self, app: Callable[..., object]) -> None:
        self._app = app

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        await self._app(scope, receive, send)  # type: ignore[misc]  # a coroutine function


def _http(app: Starlette) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


def _scope(path: str) -> dict[str, object]:
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "headers": [],
        "query_string": b"",
        "root_path": "",
    }


async def _never() -> dict[str, object]:
    return {"type": "http.disconnect"}


async def _nowhere(_: object) -> None:
    """Nobody listens."""


class client_of:  # noqa: N801 - reads as a function
    def __init__(self, settings: Settings) -> None:
        self._deps = build_deps(settings)
        self._http = _http(create_app(settings, deps=self._deps, work=False))

    async def __aenter__(self) -> httpx.AsyncClient:
        return self._http

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()
        await self._deps.database.close()


def _settings(tmp_path: Path, url: str) -> Settings:
    secret = SecretStr("a secret of the tests that is long enough")
    return Settings(_env_file=None, database_url=url, var_dir=tmp_path / "var", jwt_secret=secret)


def _samples(exposed: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(exposed)
        for sample in family.samples
    }


def _counted(route: str, status: str) -> float:
    labels = {"route": route, "status": status}
    return metrics.REGISTRY.get_sample_value("revgraph_http_requests_total", labels) or 0
