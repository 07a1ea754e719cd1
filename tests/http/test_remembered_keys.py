"""API keys that were good a moment ago: for queries, for a second, and never past a revocation made here."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from app import auth
from app.auth import KeyMemory
from app.config import Settings
from app.db.database import Database
from tests.support.clients import CREATE_KEY, Account, Api, Clock, make_key, served, sign_up
from tests.support.statements import counted

PLANS = "{ plans { tier } }"
VIEWER = "{ viewer { displayName } }"
RENAME = """mutation($input: UpdateProfileInput!) {
    updateProfile(input: $input) { user { displayName } errors { code } } }"""
KEYS = "{ viewer { apiKeys { edges { node { id } } } } }"
REVOKE = "mutation($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { errors { code } } }"


class Monotonic:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 1_000.0
        monkeypatch.setattr(auth, "monotonic", lambda: self.at)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    return Monotonic(monkeypatch)


@pytest.fixture
async def api(settings: Settings, database: Database) -> AsyncIterator[Api]:
    remembering = settings.model_copy(update={"remember_api_keys_seconds": 1.0})
    async with served(remembering, Clock()) as api:
        yield api


@pytest.fixture
async def elsewhere(settings: Settings, api: Api) -> AsyncIterator[Api]:
    """Another process on the same database, as far as the memory is concerned."""
    async with served(settings, api.clock) as other:
        yield other


async def lookups(api: Api, key: str, query: str = PLANS) -> int:
    with counted(api.deps.database) as statements:
        assert (await api.as_(key)(query)).errors == []
    return sum("api_keys" in statement and "key_hash" in statement for statement in statements)


async def revoke(account: Account, api: Api) -> None:
    (edge,) = (await account.api(KEYS)).data["viewer"]["apiKeys"]["edges"]
    by_token = api.as_(account.access_token)
    assert (await by_token(REVOKE, input={"id": edge["node"]["id"]})).payload() == {"errors": []}


async def test_queries_within_the_time_share_one_lookup(api: Api, time: Monotonic) -> None:
    key = await make_key(await sign_up(api), "READ")
    assert await lookups(api, key) == 1
    time.at += 0.999
    assert await lookups(api, key) == 0
    time.at += 0.001
    assert await lookups(api, key) == 1


async def test_what_is_revoked_here_is_refused_at_once(api: Api, time: Monotonic) -> None:
    account = await sign_up(api)
    key = await make_key(account, "READ")
    assert await lookups(api, key) == 1
    await revoke(account, api)
    assert (await api.as_(key)(PLANS)).code == "UNAUTHENTICATED"


async def test_what_is_revoked_elsewhere_is_refused_after_the_time(
    api: Api, elsewhere: Api, time: Monotonic
) -> None:
    account = await sign_up(api)
    key = await make_key(account, "READ", "WRITE")
    assert await lookups(api, key) == 1
    await revoke(account, elsewhere)
    assert (await elsewhere.as_(key)(PLANS)).code == "UNAUTHENTICATED"
    assert await lookups(api, key) == 0
    time.at += 1
    assert (await api.as_(key)(PLANS)).code == "UNAUTHENTICATED"


async def test_nothing_is_changed_by_a_key_that_is_revoked_elsewhere(
    api: Api, elsewhere: Api, time: Monotonic
) -> None:
    account = await sign_up(api)
    key = await make_key(account, "READ", "WRITE")
    assert await lookups(api, key) == 1
    await revoke(account, elsewhere)
    assert (await api.as_(key)(RENAME, input={"displayName": "Mallory"})).code == "UNAUTHENTICATED"
    assert (await api.as_(key)(PLANS)).code == "UNAUTHENTICATED", "asking again is remembered"
    assert (await account.api(VIEWER)).data["viewer"]["displayName"] != "Mallory"


async def test_an_expiry_is_compared_each_time(api: Api, time: Monotonic) -> None:
    account = await sign_up(api)
    ends = (api.clock() + timedelta(hours=1)).isoformat()
    made = await account.api(CREATE_KEY, input={"name": "short", "scopes": ["READ"], "expiresAt": ends})
    key = made.payload()["key"]
    assert await lookups(api, key) == 1
    api.clock.now += timedelta(hours=1)
    assert (await api.as_(key)(PLANS)).code == "UNAUTHENTICATED"


async def test_answers_show_the_account_as_it_is(api: Api, elsewhere: Api, time: Monotonic) -> None:
    account = await sign_up(api)
    key = await make_key(account, "READ")
    assert await lookups(api, key, VIEWER) == 1
    changed = await elsewhere.as_(account.access_token)(RENAME, input={"displayName": "Countess"})
    assert changed.payload()["errors"] == []
    assert (await api.as_(key)(VIEWER)).data == {"viewer": {"displayName": "Countess"}}
    assert await lookups(api, key, VIEWER) == 0


async def test_sessions_are_looked_up_by_every_request(api: Api, elsewhere: Api, time: Monotonic) -> None:
    account = await sign_up(api)
    assert (await account.api(VIEWER)).errors == []
    out = await elsewhere.as_(account.access_token)("mutation { logout { errors { code } } }")
    assert out.payload() == {"errors": []}
    assert (await account.api(VIEWER)).code == "UNAUTHENTICATED"


async def test_an_answer_that_a_mutation_overtook_is_not_remembered(
    api: Api, time: Monotonic, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, memory, ask = await make_key(await sign_up(api), "READ"), KeyMemory(1.0), auth.prove

    async def overtaken(*args: Any, **kwargs: Any) -> auth.Proof:
        proof = await ask(*args, **kwargs)
        memory.forget()
        return proof

    monkeypatch.setattr(auth, "prove", overtaken)
    await memory.prove(api.deps, key, now=api.clock())
    assert memory.find(key, now=api.clock()) is None
    monkeypatch.setattr(auth, "prove", ask)
    await memory.prove(api.deps, key, now=api.clock())
    assert memory.find(key, now=api.clock()) is not None


async def test_the_memory_is_bounded(api: Api, time: Monotonic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeyMemory, "LARGEST", 2)
    account, memory = await sign_up(api), KeyMemory(1.0)
    keys = [await make_key(account, "READ") for _ in range(3)]
    for key in keys:
        await memory.prove(api.deps, key, now=api.clock())
    assert [memory.find(key, now=api.clock()) is not None for key in keys] == [False, False, True]
