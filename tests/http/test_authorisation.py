"""The authorisation matrix: every root field, asked by everybody, and nothing changed where it was refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select, update

from app.api import Mutation, Query, accesses
from app.db.database import Database
from app.db.ids import new_id
from app.db.models import Base, User
from app.db.repositories import authors
from app.domain.api_keys import Role, Scope, grantable
from app.schema.node import global_id
from tests.support import factories
from tests.support.clients import PASSWORD, Account, Answer, Api, make_key, sign_up, sign_up_as

Variables = Callable[["World"], dict[str, Any]]


@dataclass
class World:
    """An author with a package, a version, a key; a stranger; an admin; and keys of the author, one a scope."""

    api: Api
    owner: Account
    stranger: Account
    admin: Account
    keys: dict[Scope, str]
    key_id: str
    package_id: str
    free_package_id: str
    version_id: str


@dataclass(frozen=True)
class Case:
    """``stranger``: what another account hears: None for success, a code, or ``null`` for nothing to see."""

    document: str
    variables: Variables = lambda world: {}
    stranger: str | None = None


MUTATION = "mutation($input: {name}Input!) {{ {field}(input: $input) {{ errors {{ code path }} }} }}"


def change(field: str, variables: Variables, *, stranger: str | None = None) -> tuple[str, Case]:
    document = MUTATION.format(name=field[0].upper() + field[1:], field=field)
    return field, Case(document, lambda world: {"input": variables(world)}, stranger)


QUERIES: dict[str, Case] = {
    "viewer": Case("{ viewer { id } }"),
    "validateToken": Case('{ validateToken(token: "x") { valid } }'),
    "node": Case(
        "query($id: ID!) { node(id: $id) { id } }", lambda world: {"id": world.owner.id}, stranger="null"
    ),
    "nodes": Case(
        "query($id: ID!) { nodes(ids: [$id]) { id } }", lambda world: {"id": world.key_id}, stranger="null"
    ),
    "package": Case('{ package(slug: "owned") { slug } }'),
    "packages": Case("{ packages { totalCount } }"),
    "categories": Case("{ categories { slug } }"),
    "plans": Case("{ plans { tier } }"),
    "licenceKeys": Case("{ licenceKeys { algorithm } }"),
}
NEW_VERSION = {"version": "9.0.0", "files": [{"uploadId": global_id("Upload", new_id()), "path": "a.zip"}]}
MUTATIONS: dict[str, Case] = dict(
    [
        change("register", lambda world: {"email": "x@x.test", "username": "newcomer", "password": PASSWORD}),
        change("login", lambda world: {"email": world.owner.email, "password": PASSWORD}),
        change("refreshSession", lambda world: {"refreshToken": world.stranger.refresh_token}),
        change("requestPasswordReset", lambda world: {"email": world.owner.email}),
        change(
            "resetPassword", lambda world: {"token": "x", "newPassword": PASSWORD}, stranger="INVALID_TOKEN"
        ),
        change("verifyEmail", lambda world: {"token": "x"}, stranger="INVALID_TOKEN"),
        change("logout", lambda world: {}),
        change("changePassword", lambda world: {"currentPassword": PASSWORD, "newPassword": PASSWORD + "!"}),
        change("updateProfile", lambda world: {"displayName": "somebody"}),
        change("deleteAccount", lambda world: {"password": PASSWORD}),
        change("createApiKey", lambda world: {"name": "k", "scopes": ["WRITE"]}),
        change("rotateApiKey", lambda world: {"id": world.key_id}, stranger="NOT_FOUND"),
        change("revokeApiKey", lambda world: {"id": world.key_id}, stranger="NOT_FOUND"),
        ("becomeAuthor", Case("mutation { becomeAuthor { errors { code path } } }")),
        change("createUpload", lambda world: {"filename": "a.zip", "sizeBytes": 3}),
        change(
            "publishPackage",
            lambda world: {
                "slug": "fresh",
                "name": "Fresh",
                "description": "New.",
                "license": "MIT",
                "categories": ["misc"],
            },
        ),
        change(
            "publishVersion",
            lambda world: {"packageId": world.package_id, **NEW_VERSION},
            stranger="FORBIDDEN",
        ),
        change(
            "updatePackage",
            lambda world: {"packageId": world.package_id, "name": "Taken"},
            stranger="FORBIDDEN",
        ),
        change(
            "yankVersion",
            lambda world: {"versionId": world.version_id, "reason": "because"},
            stranger="FORBIDDEN",
        ),
        change(
            "purchasePackage", lambda world: {"packageId": world.free_package_id, "idempotencyKey": "k-1"}
        ),
        change("createDownload", lambda world: {"packageId": world.package_id}, stranger="NOT_OWNED"),
        change(
            "reviewPackage",
            lambda world: {"packageId": world.package_id, "rating": 1, "body": "bad"},
            stranger="NOT_OWNED",
        ),
        change(
            "recordUsage",
            lambda world: {
                "events": [
                    {
                        "eventId": "e-1",
                        "userId": world.owner.id,
                        "resource": "API_CALL",
                        "amount": 1,
                        "occurredAt": "2026-11-22T12:00:00Z",
                    }
                ]
            },
        ),
    ]
)
ACCESS = {**accesses(Query), **accesses(Mutation)}
CASES = {**QUERIES, **MUTATIONS}
GUARDED = sorted(field for field, access in ACCESS.items() if access.scope is not None)


@pytest.fixture
async def world(api: Api, database: Database) -> World:
    owner, stranger = await sign_up(api, name="olive"), await sign_up(api, name="stran")
    admin = await sign_up_as(api, Role.ADMIN, name="boss")
    for account in (owner, stranger, admin):
        (await account.api("mutation { becomeAuthor { errors { code } } }")).payload()
    async with database.read() as connection:
        author = await authors.by_username_key(connection, "olive")
    package = await factories.make_package(database, author=author, slug="owned")
    version = await factories.make_version(database, package=package)
    free = await factories.make_package(database, slug="free-one")
    await factories.make_version(database, package=free)
    await make_key(owner, "WRITE")
    keys = (await owner.api("{ viewer { apiKeys { edges { node { id } } } } }")).payload()
    return World(
        api=api,
        owner=owner,
        stranger=stranger,
        admin=admin,
        keys={scope: await make_key(admin, scope.name) for scope in Scope},
        key_id=keys["apiKeys"]["edges"][0]["node"]["id"],
        package_id=global_id("Package", package.id),
        free_package_id=global_id("Package", free.id),
        version_id=global_id("PackageVersion", version.id),
    )


async def everything(database: Database) -> dict[str, list[Any]]:
    """Every row of every table."""
    async with database.read() as connection:
        return {
            table.name: sorted(repr(row) for row in (await connection.execute(select(table))).all())
            for table in Base.metadata.sorted_tables
        }


async def ask(api: Api, world: World, field: str) -> Answer:
    case = CASES[field]
    return await api(case.document, **case.variables(world))


def test_every_root_field_is_in_the_matrix() -> None:
    assert sorted(CASES) == sorted(ACCESS)


@pytest.mark.parametrize("field", GUARDED)
async def test_refused_operations_change_nothing(world: World, database: Database, field: str) -> None:
    """Nobody, a key of every other scope, and a key at all where a session is asked for."""
    access, before = ACCESS[field], await everything(database)
    refusals = [("UNAUTHENTICATED", await ask(world.api, world, field))]
    for scope, key in world.keys.items():
        if scope is not access.scope or access.session_only:
            refusals.append(("FORBIDDEN", await ask(world.api.as_(key), world, field)))
    if not access.roles >= {Role.AUTHOR}:
        refusals.append(("FORBIDDEN", await ask(world.owner.api, world, field)))
    for code, answer in refusals:
        assert [error["extensions"]["code"] for error in answer.errors] == [code]
        assert answer.data == {field: None}
    assert await everything(database) == before
    assert len(refusals) >= len(Scope)


@pytest.mark.parametrize("field", sorted(set(ACCESS) - set(GUARDED)))
async def test_public_fields_answer_everybody(world: World, field: str) -> None:
    answer = await ask(world.api, world, field)
    assert answer.errors == []


@pytest.mark.parametrize("field", sorted(ACCESS))
async def test_what_another_account_hears(world: World, database: Database, field: str) -> None:
    """Its own things, or nothing of the owner's: and then the owner's things are as they were."""
    case, before = CASES[field], await everything(database)
    if not ACCESS[field].roles >= {Role.AUTHOR}:
        return
    answer = await ask(world.stranger.api, world, field)
    if case.stranger == "FORBIDDEN":
        assert answer.code == "FORBIDDEN"
        assert answer.data == {field: None}
    elif case.stranger is None:
        assert answer.errors == []
        value = answer.data[field]
        assert not (isinstance(value, dict) and value.get("errors"))
        return
    elif case.stranger == "null":
        assert (answer.errors, answer.data[field] in (None, [None])) == ([], True)
    else:
        assert answer.errors == []
        assert [error["code"] for error in answer.data[field]["errors"]] == [case.stranger]
    after = await everything(database)
    metered = ("usage_counters", "usage_events")
    assert {t: rows for t, rows in after.items() if t not in metered} == {
        t: rows for t, rows in before.items() if t not in metered
    }


@pytest.mark.parametrize("field", sorted(field for field in GUARDED if not ACCESS[field].session_only))
async def test_a_key_with_the_scope_is_let_in(world: World, field: str) -> None:
    """What it then hears is about the thing, not about the right to ask."""
    scope = ACCESS[field].scope
    assert scope is not None
    holder = world.owner if scope in grantable(Role.AUTHOR) else world.admin
    answer = await ask(world.api.as_(await make_key(holder, scope.name)), world, field)
    assert answer.errors == []


async def test_private_fields_of_an_account_need_the_right_to_read(world: World) -> None:
    document = (
        "query($t: String!) { validateToken(token: $t) { valid user { username apiKeys { totalCount } } } }"
    )
    writer = await world.api(document, t=world.keys[Scope.WRITE])
    assert writer.code == "UNAUTHENTICATED"
    assert writer.errors[0]["path"] == ["validateToken", "user", "apiKeys"]
    reader = (await world.api(document, t=world.keys[Scope.READ])).payload()
    assert reader == {"valid": True, "user": {"username": "boss", "apiKeys": {"totalCount": len(Scope)}}}


async def test_staff_may_look_at_an_account_and_others_may_not(world: World) -> None:
    document = "query($id: ID!) { node(id: $id) { ... on User { email apiKeys { totalCount } } } }"
    seen = (await world.admin.api(document, id=world.owner.id)).payload()
    assert seen == {"email": "olive@example.test", "apiKeys": {"totalCount": 1}}
    assert (await world.stranger.api(document, id=world.owner.id)).payload() is None
    assert (await world.api(document, id=world.owner.id)).payload() is None


async def test_a_demoted_admins_key_is_an_admins_no_more(world: World, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(update(User).where(User.username == "boss").values(role="customer"))
    answer = await ask(world.api.as_(world.keys[Scope.USAGE_WRITE]), world, "recordUsage")
    assert answer.code == "FORBIDDEN"
