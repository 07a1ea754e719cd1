"""What clients, browsers and the careless read from the GraphQL address."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import strawberry
import structlog
from graphql import get_introspection_query

from app.engine.limits import Limits
from app.transport.draining import Drain
from app.transport.graphql_http import GraphQLHTTP
from app.transport.middleware import standard_middleware
from app.transport.operation_run import Options
from app.transport.prepared_document import PreparedDocument
from tests.http.audits.toy import Query, Toy, ToyHooks, build, schema

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
SITE = "http://test"


@pytest.fixture
def toy() -> Toy:
    return build()


def client(toy: Toy) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(toy.app), base_url=SITE)


async def post(toy: Toy, body: Any, accept: str | None = GRAPHQL, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    all_headers = {"content-type": JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if accept is not None:
        all_headers["accept"] = accept
    async with client(toy) as http:
        http.headers.pop("accept") if accept is None else None
        return await http.post("/graphql", content=content, headers=all_headers)


async def get(toy: Toy, params: dict[str, Any] | str, **headers: str) -> httpx.Response:
    async with client(toy) as http:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"/graphql?{params}" if isinstance(params, str) else "/graphql"
        return await http.get(url, params=None if isinstance(params, str) else params, headers=named)


def errors(response: httpx.Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = response.json()["errors"]
    return found


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, errors(response)[0]["extensions"]["code"]


async def test_a_query_is_answered_through_strawberry(toy: Toy) -> None:
    response = await post(
        toy, {"query": "query Q($t: String!) { echo(text: $t) }", "variables": {"t": "é😀"}}
    )
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {"data": {"echo": "é😀"}, "extensions": {"operation": "Q", "fields": ["echo"]}}
    assert toy.hooks.finished == [("Q", True)]


async def test_documents_stay_right_when_remembered(toy: Toy) -> None:
    for number in range(4):
        body = {"query": "query ($t: String!) { echo(text: $t) }", "variables": {"t": str(number)}}
        assert (await post(toy, body)).json()["data"] == {"echo": str(number)}
    assert len(toy.endpoint.runner.documents.cache) == 1


async def test_operation_names_select(toy: Toy) -> None:
    query = 'query A { me { name } } query B { echo(text: "b") }'
    assert (await post(toy, {"query": query, "operationName": "B"})).json()["data"] == {"echo": "b"}
    for name in (None, "", "C"):
        response = await post(toy, {"query": query, "operationName": name})
        assert code(response) == (400, "OPERATION_RESOLUTION_FAILURE")
    single = await post(toy, {"query": '{ echo(text: "a") }', "operationName": "Q"})
    assert code(single) == (400, "OPERATION_RESOLUTION_FAILURE")
    assert (await post(toy, {"query": 'query Q { echo(text: "a") }', "operationName": ""})).status_code == 200


async def test_mutations_run_by_post_only(toy: Toy) -> None:
    response = await post(toy, {"query": "mutation { increase }"})
    assert (response.json()["data"], toy.hooks.counter.value) == ({"increase": 1}, 1)
    for accept in (GRAPHQL, JSON):
        refused = await get(toy, {"query": "mutation { increase }"}, accept=accept)
        assert code(refused) == (405, "METHOD_NOT_ALLOWED")
        assert refused.headers["allow"] == "POST"
    assert toy.hooks.counter.value == 1


async def test_a_mutation_beside_a_query_is_not_run_by_get(toy: Toy) -> None:
    query = "query Q { me { name } } mutation M { increase }"
    assert (await get(toy, {"query": query, "operationName": "Q"})).status_code == 200
    assert (await get(toy, {"query": query, "operationName": "M"})).status_code == 405
    assert toy.hooks.counter.value == 0


async def test_get_takes_json_in_its_parameters(toy: Toy) -> None:
    params = {
        "query": "query Q($t: String!) { echo(text: $t) }",
        "variables": '{"t": "a+b&c"}',
        "operationName": "Q",
        "extensions": "{}",
    }
    assert (await get(toy, params)).json()["data"] == {"echo": "a+b&c"}
    for name, value in [("variables", "{"), ("variables", "[]"), ("variables", '"a"'), ("extensions", "1")]:
        assert code(await get(toy, {**params, name: value})) == (400, "BAD_REQUEST")
    assert code(await get(toy, "query={me{name}}&query={me{name}}")) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_other_methods_are_told_which_are_allowed(toy: Toy, method: str) -> None:
    async with client(toy) as http:
        response = await http.request(method, "/graphql")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    "accept, expected",
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON}", JSON),
        (f"{GRAPHQL};q=0.9, {JSON};q=0.8", GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8, {JSON}; charset=utf-8", GRAPHQL),
        (f"{GRAPHQL}; charset=latin-1, {JSON}", JSON),
        (f"{GRAPHQL};q=0, */*", JSON),
        (f"{JSON};q=0, */*;q=0.1", GRAPHQL),
        ("Application/JSON", JSON),
        ("text/event-stream, application/json", JSON),
        (f"{GRAPHQL}, {JSON}, text/event-stream, multipart/mixed", GRAPHQL),
        ("multipart/mixed;deferSpec=20220824, application/json", JSON),
        (f"{GRAPHQL};q=many, {JSON};q=0.1", JSON),
        ("text/html, */*;q=0.1", JSON),
        ("text/event-stream", None),
        ("text/html", None),
        ("application/xml, image/*", None),
        (f"{JSON};q=0", None),
        (f"{GRAPHQL};q=0, {JSON};q=0, */*", None),
        ("nonsense", None),
        (";,;;", None),
    ],
)
async def test_the_media_type_follows_accept(toy: Toy, accept: str | None, expected: str | None) -> None:
    response = await post(toy, {"query": "{ me { name } }"}, accept)
    if expected is None:
        assert code(response) == (406, "NOT_ACCEPTABLE")
        assert toy.hooks.operations == []
    else:
        assert response.status_code == 200
        assert response.headers["content-type"] == f"{expected}; charset=utf-8"


@pytest.mark.parametrize(
    "body, expected",
    [
        ({"query": "{ me {"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nobody }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query ($t: String!) { echo(text: $t) }"}, "BAD_USER_INPUT"),
        ({"query": "query ($t: String!) { echo(text: $t) }", "variables": {"t": 1}}, "BAD_USER_INPUT"),
        ({"query": "{ me { name } }", "operationName": "X"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "{ " + "a " * 2_000 + "}"}, "LIMIT_EXCEEDED"),
        ({"query": "fragment F on User { name }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "subscription { me }"}, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_request_errors_have_a_code_and_no_data(toy: Toy, body: dict[str, Any], expected: str) -> None:
    response = await post(toy, body, GRAPHQL)
    assert code(response) == (400, expected)
    assert "data" not in response.json()
    response = await post(toy, body, JSON)
    assert code(response) == (200, expected)
    assert "data" not in response.json()
    assert toy.hooks.operations == []
    assert toy.hooks.finished == [(None, False)] * 2


async def test_errors_tell_where(toy: Toy) -> None:
    assert errors(await post(toy, {"query": "{\n  nobody\n}"})) == [
        {
            "message": "Cannot query field 'nobody' on type 'Query'.",
            "locations": [{"line": 2, "column": 3}],
            "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
        }
    ]


async def test_limits_are_told_as_facts(toy: Toy) -> None:
    fields = " ".join(f"a{number}: me {{ name }}" for number in range(21))
    response = await post(toy, {"query": f"{{ {fields} }}"})
    assert errors(response)[0]["extensions"] == {
        "name": "root_fields",
        "limit": 20,
        "actual": 21,
        "code": "LIMIT_EXCEEDED",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"null",
        b"1",
        b'"text"',
        b"true",
        b"{}",
        b'{"query": "{ me { name } }"',
        b'{"query": "{ me { name } }"} x',
        b'{"query": "\xff\xfe"}',
        b'{"query": "{ me { name } }", "variables": {"a": NaN}}',
        b'{"query": "{ me { name } }", "variables": {"a": Infinity}}',
        b'{"query": "{ me { name } }", "variables": {"a": 1e999}}',
        b'{"query": "{ me { name } }", "variables": {"a": ' + b"1" * 5_000 + b"}}",
        b'{"query": "{ me { name } }", "variables": {"a": "\\ud800"}}',
        b'{"query": "{ me { name } }", "query": "{ me { name } }"}',
        b'{"query": "{ me { name } }", "variables": {"a": {"b": 1, "b": 2}}}',
        b'{"query": "{ me { name } }", "variables": {"a": ' + b"[" * 49_000 + b"]" * 49_000 + b"}}",
        b'{"a":' * 49_000 + b"1" + b"}" * 49_000,
        b"[" * 49_000,
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": " \\n"}',
        b'{"query": 1}',
        b'{"query": ["{ me { name } }"]}',
        b'{"query": "{ me { name } }", "variables": []}',
        b'{"query": "{ me { name } }", "variables": "{}"}',
        b'{"query": "{ me { name } }", "variables": 0}',
        b'{"query": "{ me { name } }", "operationName": 1}',
        b'{"query": "{ me { name } }", "operationName": {}}',
        b'{"query": "{ me { name } }", "extensions": false}',
        b"\xef\xbb\xbf" + b'{"query": "{ me { name } }"}',
        '{"query": "{ me { name } }"}'.encode("utf-16"),
    ],
)
@pytest.mark.parametrize("accept", [GRAPHQL, JSON])
async def test_malformed_requests_are_400(toy: Toy, body: bytes, accept: str) -> None:
    response = await post(toy, body, accept)
    assert code(response) == (400, "BAD_REQUEST")
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert toy.hooks.operations == []
    assert toy.hooks.finished == []


async def test_depth_that_only_one_reader_bears_is_400(toy: Toy) -> None:
    body = b'{"query": "{ me { name } }", "variables": {"a": ' + b"[" * 1_000 + b"]" * 1_000 + b"}}"
    response = await post(toy, body)
    assert response.status_code in (200, 400)


async def test_null_parameters_count_as_absent(toy: Toy) -> None:
    body = {
        "query": "{ me { name } }",
        "variables": None,
        "operationName": None,
        "extensions": None,
        "more": 1,
    }
    assert (await post(toy, body)).json()["data"] == {"me": {"name": "Ada"}}


async def test_batches_are_refused(toy: Toy) -> None:
    assert code(await post(toy, [{"query": "{ me { name } }"}])) == (400, "BATCHING_NOT_SUPPORTED")
    assert code(await post(toy, [])) == (400, "BATCHING_NOT_SUPPORTED")
    assert toy.hooks.operations == []


@pytest.mark.parametrize(
    "content_type, status",
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('Application/JSON; Charset="UTF-8"', 200),
        ("application/json; charset=utf-16", 415),
        ("application/json; charset=iso-8859-1", 415),
        ("text/plain", 415),
        ("application/graphql", 415),
        ("application/jsonx", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("", 415),
        (";;;", 415),
    ],
)
async def test_bodies_are_json_in_utf_8(toy: Toy, content_type: str, status: int) -> None:
    response = await post(toy, {"query": "{ me { name } }"}, content_type=content_type)
    assert response.status_code == status
    assert len(toy.hooks.operations) == (status == 200)


async def test_compressed_bodies_are_refused(toy: Toy) -> None:
    response = await post(toy, {"query": "{ me { name } }"}, content_encoding="gzip")
    assert code(response) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "headers, allowed",
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin", "origin": "https://elsewhere.example"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://shop.example"}, True),
        ({"origin": "https://shop.example"}, True),
        ({"origin": "https://shop.example:8443"}, False),
        ({"origin": "https://elsewhere.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "http://test"}, True),
        ({"origin": "https://test"}, True),
        ({"origin": "http://test:80"}, True),
        ({"origin": "http://test:8080"}, False),
        ({"origin": "http://test.elsewhere.example"}, False),
        ({"origin": "http://[broken"}, False),
    ],
)
async def test_pages_of_others_are_refused(headers: dict[str, str], allowed: bool) -> None:
    toy = build(origins=("https://shop.example",))
    async with client(toy) as http:
        got = await http.get("/graphql", params={"query": "{ me { name } }"}, headers=headers)
        posted = await http.post("/graphql", json={"query": "mutation { increase }"}, headers=headers)
    if allowed:
        assert (got.status_code, posted.status_code, toy.hooks.counter.value) == (200, 200, 1)
    else:
        assert code(got) == code(posted) == (403, "CROSS_SITE_REQUEST")
        assert (toy.hooks.counter.value, toy.hooks.operations) == (0, [])


async def test_origins_may_be_allowed_by_name_only() -> None:
    async with client(build(origins=("https://shop.example",))) as http:
        asked = {"origin": "https://shop.example", "access-control-request-method": "POST"}
        asked["access-control-request-headers"] = "content-type, authorization"
        preflight = await http.options("/graphql", headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == "https://shop.example"
        foreign = await http.options("/graphql", headers={**asked, "origin": "https://elsewhere.example"})
        assert foreign.status_code == 400
    async with client(build()) as http:
        assert (await http.options("/graphql", headers=asked)).status_code == 405
    with pytest.raises(ValueError, match="Name the allowed origins"):
        standard_middleware(drain=Drain(), allowed_origins=["*"])


async def test_field_errors_are_presented_by_the_application(toy: Toy) -> None:
    response = await post(toy, {"query": "{ maybe }"})
    assert response.status_code == 200
    assert response.json()["data"] == {"maybe": None}
    assert errors(response)[0] == {
        "message": "Not today.",
        "locations": [{"line": 1, "column": 3}],
        "path": ["maybe"],
        "extensions": {"code": "NOT_TODAY", "day": "Monday"},
    }
    sold_out = await post(toy, {"query": "{ soldOut }"})
    assert (sold_out.status_code, sold_out.json()["data"]) == (200, None)
    assert errors(sold_out) == [{"message": "Sold out.", "extensions": {"code": "SOLD_OUT", "left": 0}}]


async def test_unexpected_errors_are_masked_with_the_request_id(toy: Toy) -> None:
    response = await post(toy, {"query": "{ broken me { name } }"}, x_request_id="abc-1")
    assert response.json()["data"] == {"broken": None, "me": {"name": "Ada"}}
    assert errors(response)[0]["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "requestId": "abc-1"}
    assert "abc-1" in errors(response)[0]["message"]
    assert "secret" not in response.text


async def test_hooks_refuse_with_a_status_and_headers(toy: Toy) -> None:
    body = {"query": "{ a: me { name } b: me { name } c: me { name } }"}
    refused = await post(toy, body, GRAPHQL)
    assert refused.status_code == 429
    assert refused.json() == {
        "errors": [
            {"message": "Too often.", "extensions": {"used": 3, "limit": 2, "code": "QUOTA_EXCEEDED"}}
        ],
        "extensions": {"fields": ["me", "me", "me"]},
    }
    assert (refused.headers["retry-after"], refused.headers["x-fields"]) == ("9", "3")
    assert (await post(toy, body, JSON)).status_code == 200
    assert toy.hooks.finished == [(None, False)] * 2


async def test_a_refused_context_keeps_its_status(toy: Toy) -> None:
    for accept in (GRAPHQL, JSON):
        refused = await post(toy, {"query": "{ me { name } }"}, accept, authorization="Bearer wrong")
        assert code(refused) == (401, "UNAUTHENTICATED")
        assert refused.headers["www-authenticate"] == "Bearer"
    assert toy.hooks.finished == []


async def test_hooks_see_what_will_run(toy: Toy) -> None:
    query = 'query Q($no: Boolean!) { a: me { name } ...F echo(text: "") @skip(if: $no) }'
    query += " fragment F on Query { b: me { name } }"
    await post(toy, {"query": query, "variables": {"no": True}})
    operation = toy.hooks.operations[0]
    assert (operation.name, operation.kind.value, operation.root_fields) == ("Q", "query", ("me", "me"))
    assert operation.measures.fields == 5


async def test_a_defect_in_a_hook_is_a_logged_500(toy: Toy) -> None:
    with structlog.testing.capture_logs() as logs:
        response = await post(
            toy, {"query": "{ me { name } }"}, authorization="Bearer crash", x_request_id="r1"
        )
    assert code(response) == (500, "INTERNAL_SERVER_ERROR")
    assert errors(response)[0]["extensions"]["requestId"] == "r1"
    assert response.headers["x-request-id"] == "r1"
    assert "secret" not in response.text
    assert [entry["event"] for entry in logs] == ["request_failed"]


async def test_long_operations_time_out() -> None:
    toy = build(options=Options(timeout=0.05))
    for accept, status in ((GRAPHQL, 504), (JSON, 200)):
        response = await post(toy, {"query": "query Q { slow(seconds: 5) }"}, accept)
        assert code(response) == (status, "TIMEOUT")
        assert "data" not in response.json()
    assert toy.hooks.finished == [("Q", False)] * 2


async def test_introspection_is_answered_when_allowed(toy: Toy) -> None:
    response = await post(toy, {"query": get_introspection_query()})
    assert response.json()["data"]["__schema"]["queryType"]["name"] == "Query"
    mixed = await post(toy, {"query": "{ me { name } __schema { queryType { name } } }"})
    assert mixed.json()["data"]["me"] == {"name": "Ada"}


async def test_production_hides_the_schema() -> None:
    toy = build(options=Options(introspection=False, suggestions=False))
    for query in ("{ __schema { queryType { name } } }", '{ __type(name: "User") { name } }'):
        assert code(await post(toy, {"query": query})) == (400, "GRAPHQL_VALIDATION_FAILED")
    assert (await post(toy, {"query": "{ __typename me { __typename } }"})).status_code == 200
    response = await post(toy, {"query": "{ mee { name } }"})
    assert errors(response)[0]["message"] == "Cannot query field 'mee' on type 'Query'."
    wrong = {"query": "query ($w: Filter!) { count(where: $w) }", "variables": {"w": {"tag": [], "size": 1}}}
    assert "Did you mean" not in (await post(toy, wrong)).text
    assert "Did you mean" in (await post(build(), {"query": "{ mee { name } }"})).text


async def test_answers_stay_small(toy: Toy) -> None:
    response = await post(toy, {"query": "{ " + "a" * 49_000 + " }"})
    assert len(response.content) < 2_000
    values = {"query": "query ($w: Filter!) { count(where: $w) }", "variables": {"w": {"tags": [1] * 9_000}}}
    response = await post(toy, values)
    assert code(response) == (400, "BAD_USER_INPUT")
    assert len(errors(response)) <= 11


async def test_text_that_utf_8_cannot_hold_is_escaped(toy: Toy) -> None:
    response = await post(toy, {"query": "{ surrogate }"})
    assert response.content.startswith(b'{"data":{"surrogate":"\\ud800"}')


@pytest.fixture
def page(tmp_path: Path) -> Path:
    index = tmp_path / "index.html"
    index.write_text("<html>IDE</html>")
    return index


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("accept", ["text/html", BROWSER, "text/html, application/json;q=0.9"])
async def test_browsers_see_the_ide(page: Path, accept: str) -> None:
    toy = build(ide=page)
    response = await get(toy, {}, accept=accept, sec_fetch_site="cross-site")
    assert (response.status_code, response.text) == (200, "<html>IDE</html>")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html;q=0.9", "text/*"])
async def test_programs_do_not(page: Path, accept: str) -> None:
    response = await get(build(ide=page), {}, accept=accept)
    assert "IDE" not in response.text
    assert response.headers["content-type"].startswith(JSON)
    assert response.status_code in (400, 406)


async def test_a_query_in_the_address_is_answered_to_browsers_too(page: Path) -> None:
    response = await get(build(ide=page), {"query": "{ me { name } }"}, accept=BROWSER)
    assert response.json()["data"] == {"me": {"name": "Ada"}}


async def test_every_response_is_protected(toy: Toy) -> None:
    async with client(toy) as http:
        answers = [await http.get("/graphql"), await http.get("/nothing"), await http.get("/crash")]
    assert [answer.status_code for answer in answers] == [400, 404, 500]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "strict-transport-security" not in answer.headers


async def test_https_only_is_told_on_request() -> None:
    response = await get(build(https=True), {})
    assert response.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("given", ["a", "A.b_c-1", "x" * 64])
async def test_sane_request_ids_are_kept(toy: Toy, given: str) -> None:
    assert (await get(toy, {}, x_request_id=given)).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "ä", "a\tb", "<script>", "a/b"])
async def test_other_request_ids_are_replaced(toy: Toy, given: str) -> None:
    async with client(toy) as http:
        response = await http.get("/graphql", headers={"x-request-id": given.encode()})
    made = response.headers["x-request-id"]
    assert (made != given, len(made)) == (True, 32)


async def test_the_log_of_a_request_names_it() -> None:
    seen: list[dict[str, Any]] = []
    toy = build()

    async def present(request: Any) -> Any:
        seen.append(structlog.contextvars.get_contextvars())
        return toy.hooks.counter

    toy.hooks.get_context = present  # type: ignore[method-assign]  # the hook looks at the log's context
    await post(toy, {"query": "{ me { name } }"}, x_request_id="r7")
    assert seen == [{"request_id": "r7"}]
    assert structlog.contextvars.get_contextvars() == {}


async def test_large_bodies_are_refused_by_their_stated_length(toy: Toy) -> None:
    response = await post(toy, b" " * 1_000_001)
    assert code(response) == (413, "PAYLOAD_TOO_LARGE")
    assert response.headers["connection"] == "close"
    assert (await post(toy, b'{"query": "{ me { name } }"}'.ljust(1_000_000))).status_code == 200
    assert len(toy.hooks.operations) == 1


async def test_large_bodies_are_refused_as_they_arrive(toy: Toy) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 100_000
            yield b" " * 100_000

    async with client(toy) as http:
        response = await http.post("/graphql", content=endless(), headers={"content-type": JSON})
    assert code(response) == (413, "PAYLOAD_TOO_LARGE")
    assert sent == 1_100_000
    assert toy.hooks.operations == []


async def test_absurd_lengths_are_refused(toy: Toy) -> None:
    response = await post(toy, b"{}", content_length="9" * 5_000)
    assert code(response) == (413, "PAYLOAD_TOO_LARGE")


async def test_uploads_are_not_limited(toy: Toy) -> None:
    async with client(toy) as http:
        response = await http.put("/uploads/a", content=b"x" * 1_500_000)
    assert (response.status_code, response.text) == (200, "1500000")


async def test_a_stopping_server_finishes_what_it_began(toy: Toy) -> None:
    running = asyncio.create_task(post(toy, {"query": "{ slow(seconds: 0.2) }"}))
    await asyncio.sleep(0.05)
    toy.drain.stop()
    refused = await post(toy, {"query": "{ me { name } }"})
    assert code(refused) == (503, "SERVICE_UNAVAILABLE")
    assert refused.headers["connection"] == "close"
    assert (await running).json()["data"] == {"slow": "done"}
    assert len(toy.hooks.operations) == 1
    async with client(toy) as http:
        assert (await http.get("/health")).status_code == 404


def test_the_schema_has_to_take_prepared_documents() -> None:
    plain = strawberry.Schema(query=Query)
    with pytest.raises(ValueError, match="PreparedDocument"):
        GraphQLHTTP(plain, ToyHooks(), options=Options())


async def test_the_extension_alone_changes_nothing() -> None:
    assert (await schema.execute("{ me { name } }")).data == {"me": {"name": "Ada"}}
    assert (await schema.execute("{ nobody }")).errors is not None
    assert PreparedDocument in schema.extensions


async def test_limits_can_be_set() -> None:
    toy = build(options=Options(limits=Limits(depth=1)))
    assert code(await post(toy, {"query": "{ me { name } }"})) == (400, "LIMIT_EXCEEDED")
