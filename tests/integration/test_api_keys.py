"""API keys under pressure: limits hold at once, a rotation happens once, no key makes one that outlives it."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.db.database import Database
from app.db.models import ApiKey, User
from app.domain.api_keys import Scope
from app.domain.errors import Conflict, Forbidden, NotFound, Unauthenticated
from app.domain.viewer import Viewer
from app.gateways.keyring import Keyring
from app.gateways.tokens import KeyedTokens
from app.services import api_keys
from tests.support.factories import NOW, make_user, viewer_of

TOKENS = KeyedTokens(Keyring(["a secret of the tests that is long enough"]))
DAY = timedelta(days=1)
WRITE = frozenset({Scope.WRITE})


async def create(
    database: Database,
    viewer: Viewer,
    *,
    scopes: frozenset[Scope] = WRITE,
    expires_at: datetime | None = None,
    now: datetime = NOW,
) -> UUID:
    made = await api_keys.create(
        database=database,
        tokens=TOKENS,
        viewer=viewer,
        name="a key",
        scopes=scopes,
        expires_at=expires_at,
        now=now,
    )
    return made.id


async def rotate(
    database: Database, viewer: Viewer, key_id: UUID, *, overlap: timedelta = DAY, now: datetime = NOW
) -> UUID:
    made = await api_keys.rotate(
        database=database, tokens=TOKENS, viewer=viewer, key_id=key_id, overlap=overlap, now=now
    )
    return made.id


async def keys(database: Database) -> dict[UUID, Any]:
    async with database.read() as connection:
        found = await connection.execute(select(*ApiKey.__table__.columns).order_by(ApiKey.id))
        return {row.id: row for row in found.all()}


def by_key(viewer: Viewer, key_id: UUID, scopes: frozenset[Scope] = WRITE) -> Viewer:
    return replace(viewer, session_id=None, api_key_id=key_id, scopes=scopes)


def kinds(results: list[Any]) -> Counter[str]:
    return Counter(type(result).__name__ for result in results)


async def test_a_hundred_live_keys_and_no_more_however_many_are_made_at_once(database: Database) -> None:
    viewer = viewer_of(await make_user(database))
    for _ in range(90):
        await create(database, viewer)
    results = await asyncio.gather(*(create(database, viewer) for _ in range(30)), return_exceptions=True)
    assert kinds(results) == {"UUID": 10, "Conflict": 20}
    assert len(await keys(database)) == 100


async def test_a_rotation_counts_both_keys_while_both_live(database: Database) -> None:
    viewer = viewer_of(await make_user(database))
    made = [await create(database, viewer) for _ in range(100)]
    before = await keys(database)
    with pytest.raises(Conflict):
        await rotate(database, viewer, made[0])
    assert await keys(database) == before
    await rotate(database, viewer, made[0], overlap=timedelta(0))
    assert len(await keys(database)) == 101


async def test_rotations_of_one_key_at_once_give_one_successor(database: Database) -> None:
    viewer = viewer_of(await make_user(database))
    key_id = await create(database, viewer, expires_at=NOW + 30 * DAY)
    results = await asyncio.gather(
        *(rotate(database, viewer, key_id) for _ in range(8)), return_exceptions=True
    )
    assert kinds(results) == {"UUID": 1, "Conflict": 7}
    (new_id,) = (result for result in results if isinstance(result, UUID))
    assert {row.id: (row.replaces_id, row.expires_at) for row in (await keys(database)).values()} == {
        key_id: (None, NOW + DAY),
        new_id: (key_id, NOW + 30 * DAY),
    }


async def test_a_key_that_was_rotated_is_not_rotated_again(database: Database) -> None:
    """Not even when its successor has gone: its own expiry is the overlap's end by then."""
    viewer = viewer_of(await make_user(database))
    key_id = await create(database, viewer)
    new_id = await rotate(database, viewer, key_id)
    await api_keys.revoke(database=database, viewer=viewer, key_id=new_id, now=NOW)
    with pytest.raises(Conflict):
        await rotate(database, viewer, key_id)
    assert set(await keys(database)) == {key_id, new_id}


@pytest.mark.parametrize("wanted", [None, NOW + 2 * DAY, NOW + timedelta(hours=1)])
async def test_what_a_key_makes_ends_with_it(database: Database, wanted: datetime | None) -> None:
    viewer = viewer_of(await make_user(database))
    caller = await create(database, viewer, expires_at=NOW + DAY)
    made = await create(database, by_key(viewer, caller), expires_at=wanted)
    assert (await keys(database))[made].expires_at == min(wanted or NOW + DAY, NOW + DAY)


async def test_a_key_that_never_ends_makes_keys_that_never_end(database: Database) -> None:
    viewer = viewer_of(await make_user(database))
    made = await create(database, by_key(viewer, await create(database, viewer)))
    assert (await keys(database))[made].expires_at is None


async def test_a_key_rotates_itself_to_its_own_expiry_and_others_to_no_later_one(database: Database) -> None:
    viewer = viewer_of(await make_user(database))
    caller = await create(database, viewer, expires_at=NOW + 9 * DAY)
    endless = await create(database, viewer)
    other = await rotate(database, by_key(viewer, caller), endless)
    own = await rotate(database, by_key(viewer, caller), caller)
    rows = await keys(database)
    assert (rows[other].expires_at, rows[own].expires_at) == (NOW + 9 * DAY, NOW + 9 * DAY)
    assert (rows[endless].expires_at, rows[caller].expires_at) == (NOW + DAY, NOW + DAY)


async def test_a_key_that_was_revoked_meanwhile_makes_none(database: Database) -> None:
    viewer = viewer_of(await make_user(database))
    caller = await create(database, viewer)
    await api_keys.revoke(database=database, viewer=viewer, key_id=caller, now=NOW)
    with pytest.raises(Unauthenticated):
        await create(database, by_key(viewer, caller))
    assert set(await keys(database)) == {caller}


async def test_a_key_revokes_itself_and_its_equals_but_no_stronger_one(database: Database) -> None:
    viewer = viewer_of(await make_user(database))
    caller, equal = await create(database, viewer), await create(database, viewer)
    stronger = await create(database, viewer, scopes=frozenset({Scope.WRITE, Scope.PURCHASE}))

    async def revoke(asking: Viewer, key_id: UUID) -> None:
        await api_keys.revoke(database=database, viewer=asking, key_id=key_id, now=NOW)

    for key_id in (equal, caller):
        await revoke(by_key(viewer, caller), key_id)
    with pytest.raises(Forbidden):
        await revoke(by_key(viewer, caller), stronger)
    with pytest.raises(NotFound):
        await revoke(viewer_of(await make_user(database)), stronger)
    assert {key_id: row.revoked_at for key_id, row in (await keys(database)).items()} == {
        caller: NOW,
        equal: NOW,
        stronger: None,
    }
    await revoke(viewer, stronger)
    assert (await keys(database))[stronger].revoked_at == NOW


async def test_an_account_that_has_ended_meanwhile_makes_no_keys(database: Database) -> None:
    viewer = viewer_of(await make_user(database))
    key_id = await create(database, viewer)
    async with database.transaction() as connection:
        await connection.execute(update(User).values(deleted_at=NOW, password_hash=""))
    for attempt in (create(database, viewer), rotate(database, viewer, key_id)):
        with pytest.raises(Unauthenticated):
            await attempt
    assert set(await keys(database)) == {key_id}
