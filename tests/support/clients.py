"""The whole application over HTTP, in this process: a clock that tests move, accounts that sign in."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from app.bootstrap import Settings, build_deps
from app.context import Deps
from app.db.database import Database
from app.domain.api_keys import Role
from app.main import create_app
from app.services import accounts

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Answer:
    """One GraphQL response; ``data`` and ``errors`` are empty rather than missing."""

    response: httpx.Response

    @property
    def data(self) -> Any:
        return self.response.json().get("data")

    @property
    def errors(self) -> list[dict[str, Any]]:
        return list(self.response.json().get("errors", []))

    @property
    def code(self) -> str | None:
        return self.errors[0]["extensions"]["code"] if self.errors else None

    def payload(self) -> Any:
        """The only root field's value, of an operation without top-level errors."""
        assert self.errors == [], self.errors
        (value,) = self.data.values()
        return value


@dataclass
class Api:
    http: httpx.AsyncClient
    app: Starlette
    deps: Deps
    clock: Clock
    headers: dict[str, str] = field(default_factory=dict)

    async def __call__(self, document: str, **variables: Any) -> Answer:
        body = {"query": document, "variables": variables}
        return Answer(await self.http.post("/graphql", json=body, headers=self.headers))

    def as_(self, credential: str | None) -> "Api":
        headers = {} if credential is None else {"authorization": f"Bearer {credential}"}
        return replace(self, headers=headers)


@dataclass
class Account:
    """``api`` sends the account's access token."""

    api: Api
    id: str
    email: str
    username: str
    access_token: str
    refresh_token: str


REGISTER = """mutation($input: RegisterInput!) { register(input: $input) {
    accessToken refreshToken expiresIn user { id email username tier } errors { code message path } } }"""
LOGIN = """mutation($input: LoginInput!) { login(input: $input) {
    accessToken refreshToken expiresIn user { id email username tier } errors { code message path } } }"""


async def sign_up(api: Api, *, name: str | None = None) -> Account:
    name = name or f"person{next(_numbers)}"
    email = f"{name}@example.test"
    made = (await api(REGISTER, input={"email": email, "username": name, "password": PASSWORD})).payload()
    assert made["errors"] == []
    return _account(api, made)


async def sign_up_as(api: Api, role: Role, *, name: str | None = None) -> Account:
    """An account of a role that nobody can give to themselves."""
    name = name or f"{role.value}{next(_numbers)}"
    email = f"{name}@example.test"
    await accounts.create_with_role(
        database=api.deps.database,
        passwords=api.deps.passwords,
        email=email,
        username=name,
        password=PASSWORD,
        role=role,
        production=False,
        now=api.clock(),
    )
    made = (await api(LOGIN, input={"email": email, "password": PASSWORD})).payload()
    assert made["errors"] == []
    return _account(api, made)


def _account(api: Api, made: dict[str, Any]) -> Account:
    user = made["user"]
    return Account(
        api=api.as_(made["accessToken"]),
        id=user["id"],
        email=user["email"],
        username=user["username"],
        access_token=made["accessToken"],
        refresh_token=made["refreshToken"],
    )


CREATE_KEY = """mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
    key apiKey { id name prefix scopes expiresAt revokedAt lastUsedAt } errors { code message path } } }"""


async def make_key(account: Account, *scopes: str) -> str:
    made = (await account.api(CREATE_KEY, input={"name": "a key", "scopes": list(scopes)})).payload()
    assert made["errors"] == []
    return str(made["key"])


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None,
        database_url=database_url,
        var_dir=tmp_path / "var",
        jwt_secret=SecretStr("a secret of the tests that is long enough"),
        rate_limit_sign_in="100000/minute",
    )


@pytest.fixture
async def api(settings: Settings, database: Database) -> AsyncIterator[Api]:
    """The application on both databases, without its background work: tests run that by hand."""
    async with served(settings, Clock()) as api:
        yield api


@asynccontextmanager
async def served(settings: Settings, clock: Clock) -> AsyncIterator[Api]:
    deps = replace(build_deps(settings), clock=clock)
    app = create_app(settings, deps=deps, work=False)
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 50_000))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as http,
    ):
        yield Api(http, app, deps, clock)
