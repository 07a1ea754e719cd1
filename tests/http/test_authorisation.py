"""The authorisation matrix: every root field, asked by everybody, and nothing changed where it was refused."""

from typing import Any

import pytest
from sqlalchemy import select, update

from app.api import Mutation, Query, accesses
from app.db.database import Database
from app.db.models import Base, User
from app.domain.api_keys import Role, Scope, grantable
from tests.support.clients import make_key
from tests.support.world import CASES, World, ask

ACCESS = {**accesses(Query), **accesses(Mutation)}
GUARDED = sorted(field for field, access in ACCESS.items() if access.scope is not None)


async def everything(database: Database) -> dict[str, list[Any]]:
    """Every row of every table."""
    async with database.read() as connection:
        return {
            table.name: sorted(repr(row) for row in (await connection.execute(select(table))).all())
            for table in Base.metadata.sorted_tables
        }


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
