"""The surface of the product: what production hides, what is masked, what is limited, and bad input of every kind."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import build_schema, parse, validate
from pydantic import SecretStr

from app.api import build_schema as our_schema
from app.bootstrap import Settings, build_deps
from app.config import Environment
from app.main import create_app
from tests.support.clients import Api, Clock, make_key, sign_up

ROOT = Path(__file__).parents[2]
HOSTILE = {
    "deep": "{ packages "
    + "{ edges { node { author { packages " * 12
    + "{ totalCount }"
    + " } } } }" * 12
    + " }",
    "wide": "{ " + " ".join(f"a{n}: plans {{ tier }}" for n in range(31)) + " }",
    "costly": "{ packages(first: 100) { edges { node { versions(first: 100) { edges { node { version } } } } } } }",
    "fragments": "query { ...F0 } "
    + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(49))
    + " fragment F49 on Query { plans { tier } }",
    "mutations": "mutation { "
    + " ".join(f'm{n}: verifyEmail(input: {{token: "x"}}) {{ errors {{ code }} }}' for n in range(5))
    + " }",
    "long": "{ plans { tier } } #" + "x" * 50_001,
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
async def test_hostile_documents_are_refused_with_the_limit_they_exceed(api: Api, name: str) -> None:
    answer = await api(HOSTILE[name])
    assert answer.code == "LIMIT_EXCEEDED"
    assert answer.data is None
    facts = answer.errors[0]["extensions"]
    assert facts["actual"] > facts["limit"]


async def test_aliases_cannot_multiply_what_a_key_may_do(api: Api) -> None:
    account = await sign_up(api)
    key = api.as_(await make_key(account, "READ"))
    answer = await key("{ a: viewer { id } b: viewer { id } ...F } fragment F on Query { c: plans { tier } }")
    assert answer.response.headers["x-quota-remaining"] == "996"
    assert answer.response.headers["x-quota-limit"] == "1000"
    assert answer.response.headers["x-quota-resets-at"] == "2026-12-22T12:00:00Z"


VALUES: list[Any] = [
    None,
    0,
    -1,
    1e308,
    True,
    [],
    {},
    "",
    " ",
    "\x00",
    "\u202e",
    "\U0001f600" * 100,
    "'; DROP TABLE users; --",
    "../../etc/passwd",
    "%00",
    "x" * 10_000,
    "ﬁ①Ⅷ",
]


@pytest.mark.parametrize("document", [
    "query($v: String!) { package(slug: $v) { id } }",
    "query($v: String) { packages(query: $v) { totalCount } }",
    "query($v: String) { packages(after: $v) { totalCount } }",
    "query($v: ID!) { node(id: $v) { id } }",
    "query($v: [ID!]!) { nodes(ids: $v) { id } }",
    "query($v: Int) { packages(first: $v) { totalCount } }",
    "query($v: PackageFilter) { packages(filter: $v) { totalCount } }",
    "query($v: Float) { packages(filter: {minRating: $v}) { totalCount } }",
    "query($v: String) { packages(filter: {category: $v, tag: $v, author: $v, license: $v}) { totalCount } }",
    "query($v: String!) { validateToken(token: $v) { valid } }",
    "mutation($v: String!) { register(input: {email: $v, username: $v, password: $v}) { errors { code } } }",
    "mutation($v: String!) { login(input: {email: $v, password: $v}) { errors { code } } }",
    "mutation($v: String!) { refreshSession(input: {refreshToken: $v}) { errors { code } } }",
    "mutation($v: String!) { resetPassword(input: {token: $v, newPassword: $v}) { errors { code } } }",
    "mutation($v: ID!) { purchasePackage(input: {packageId: $v, idempotencyKey: \"k\"}) { errors { code } } }",
    "mutation($v: String!) { purchasePackage(input: {packageId: $v, version: $v, idempotencyKey: $v}) { errors { code } } }",
    "mutation($v: String!) { createApiKey(input: {name: $v, scopes: [READ]}) { errors { code } } }",
    "mutation($v: DateTime) { createApiKey(input: {name: \"k\", scopes: [READ], expiresAt: $v}) { errors { code } } }",
    "mutation($v: String) { updateProfile(input: {username: $v, email: $v, displayName: $v}) { errors { code } } }",
    "mutation($v: ID!) { revokeApiKey(input: {id: $v}) { errors { code } } }",
    "mutation($v: String!) { createUpload(input: {filename: $v, sizeBytes: 3, mediaType: $v}) { errors { code } } }",
])  # fmt: skip
async def test_no_input_makes_the_server_fail(api: Api, document: str) -> None:
    account = await sign_up(api)
    await account.api("mutation { becomeAuthor { errors { code } } }")
    for value in VALUES:
        answer = await account.api(document, v=value)
        assert answer.response.status_code == 200
        assert answer.code != "INTERNAL_SERVER_ERROR", (value, answer.errors)


@pytest.fixture
async def production(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    settings = Settings(
        _env_file=None,
        environment=Environment.PRODUCTION,
        database_url=database_url,
        var_dir=tmp_path / "var",
        jwt_secret=SecretStr("a secret of the tests that is long enough"),
    )
    deps = replace(build_deps(settings), clock=Clock())
    app = create_app(settings, deps=deps, work=False)
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 50_000))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as http,
    ):
        yield Api(http, app, deps, Clock())


async def test_production_does_not_tell_its_schema(production: Api) -> None:
    assert (await production("{ __schema { types { name } } }")).code == "GRAPHQL_VALIDATION_FAILED"
    typo = await production("{ plan { tier } }")
    assert typo.code == "GRAPHQL_VALIDATION_FAILED"
    assert "Did you mean" not in typo.errors[0]["message"]
    assert (await production("{ __typename }")).data == {"__typename": "Query"}


async def test_production_asks_for_a_better_password(production: Api) -> None:
    document = """mutation($p: String!) { register(input: {email: "a@b.test", username: "ada", password: $p}) {
        errors { code path } } }"""
    for password in ("elevenchars", "password1234", "qwertyuiop123"):
        refused = (await production(document, p=password)).payload()
        assert refused["errors"] == [{"code": "BAD_USER_INPUT", "path": ["input", "password"]}]
    assert (await production(document, p="correct horse battery")).payload()["errors"] == []


async def test_the_unexpected_is_masked_with_the_request_id(api: Api) -> None:
    broken = replace(api.deps, plans=None)  # type: ignore[arg-type]  # the defect to be masked
    app = create_app(
        Settings(_env_file=None, database_url=str(api.deps.database.url), jwt_secret=SecretStr("x" * 40)),
        deps=broken,
        work=False,
    )
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        answer = await http.post(
            "/graphql", json={"query": "{ plans { tier } }"}, headers={"x-request-id": "mine"}
        )
    assert answer.headers["x-request-id"] == "mine"
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "requestId": "mine"}
    assert "mine" in error["message"]
    assert "NoneType" not in answer.text


def test_the_tour_in_graphiql_is_valid() -> None:
    schema = build_schema(our_schema().as_str())
    assert validate(schema, parse((ROOT / "graphiql" / "src" / "tour.graphql").read_text())) == []


def test_the_exported_schema_is_this_one() -> None:
    assert (ROOT / "schema.graphql").read_text().strip() == our_schema().as_str().strip()
