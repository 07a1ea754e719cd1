"""API keys through the front door: shown once, scoped, rotated with an overlap, revoked at once."""

import pytest
from sqlalchemy import select

from app.db.database import Database
from app.db.models import ApiKey
from app.domain.api_keys import Role, well_formed
from tests.support.clients import CREATE_KEY, Api, make_key, sign_up, sign_up_as

VIEWER = "{ viewer { username } }"
LIST = "{ viewer { apiKeys { totalCount edges { node { id name prefix scopes revokedAt lastUsedAt expiresAt } } } } }"


async def test_a_key_is_shown_once_and_kept_as_a_hash(api: Api, database: Database) -> None:
    account = await sign_up(api, name="ada")
    made = (
        await account.api(CREATE_KEY, input={"name": "  deploys ", "scopes": ["READ", "PURCHASE"]})
    ).payload()
    assert well_formed(made["key"])
    assert made["apiKey"] == {
        "id": made["apiKey"]["id"],
        "name": "deploys",
        "prefix": made["key"][:12],
        "scopes": ["PURCHASE", "READ"],
        "expiresAt": None,
        "revokedAt": None,
        "lastUsedAt": None,
    }
    async with database.read() as connection:
        row = (await connection.execute(select(ApiKey.__table__))).one()
    assert made["key"] not in repr(row)
    assert row.key_hash == api.deps.tokens.digest(made["key"])


async def test_both_headers_take_a_key(api: Api) -> None:
    account = await sign_up(api, name="ada")
    key = await make_key(account, "READ")
    for headers in (
        {"authorization": f"Bearer {key}"},
        {"authorization": f"bearer  {key}"},
        {"x-api-key": key},
    ):
        answer = await api.http.post("/graphql", json={"query": VIEWER}, headers=headers)
        assert answer.json() == {"data": {"viewer": {"username": "ada"}}}


@pytest.mark.parametrize(
    "credential", ["rg_live_", "rg_live_" + "A" * 36, "x", "a.b.c", "Ω" * 40, "rg_live_" + "9" * 5000]
)
async def test_what_is_no_credential_is_refused_and_not_ignored(api: Api, credential: str) -> None:
    headers = {"authorization": f"Bearer {credential}".encode()}
    answer = await api.http.post("/graphql", json={"query": "{ plans { tier } }"}, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "data" not in answer.json()


async def test_a_typo_is_told_by_the_checksum(api: Api) -> None:
    account = await sign_up(api)
    key = await make_key(account, "READ")
    typo = key[:20] + ("x" if key[20] != "x" else "y") + key[21:]
    refused = await api.as_(typo)(VIEWER)
    assert refused.code == "UNAUTHENTICATED"
    assert "checksum" in refused.errors[0]["message"]


async def test_a_key_can_do_only_what_its_scopes_allow(api: Api) -> None:
    account = await sign_up(api, name="ada")
    writer = api.as_(await make_key(account, "WRITE"))
    refused = await writer(VIEWER)
    assert refused.code == "FORBIDDEN"
    assert refused.data == {"viewer": None}
    reader = api.as_(await make_key(account, "READ"))
    refused = await reader(CREATE_KEY, input={"name": "more", "scopes": ["READ"]})
    assert refused.code == "FORBIDDEN"
    assert (await account.api("{ viewer { apiKeys { totalCount } } }")).payload() == {
        "apiKeys": {"totalCount": 2}
    }


async def test_a_key_cannot_hand_out_what_it_lacks_and_a_customer_no_staff_scope(api: Api) -> None:
    account = await sign_up(api)
    writer = api.as_(await make_key(account, "WRITE"))
    assert (await writer(CREATE_KEY, input={"name": "more", "scopes": ["PURCHASE"]})).code == "FORBIDDEN"
    for scope in ("ADMIN", "USAGE_WRITE", "PUBLISH"):
        assert (await account.api(CREATE_KEY, input={"name": "more", "scopes": [scope]})).code == "FORBIDDEN"
    admin = await sign_up_as(api, Role.ADMIN)
    assert well_formed(await make_key(admin, "ADMIN", "USAGE_WRITE"))
    assert (await account.api("{ viewer { apiKeys { totalCount } } }")).payload() == {
        "apiKeys": {"totalCount": 1}
    }


async def test_the_most_sensitive_actions_need_a_session(api: Api) -> None:
    account = await sign_up(api)
    key = api.as_(await make_key(account, "READ", "WRITE", "PURCHASE"))
    change = (
        'mutation { changePassword(input: {currentPassword: "x", newPassword: "y"}) { errors { code } } }'
    )
    leave = 'mutation { deleteAccount(input: {password: "x"}) { errors { code } } }'
    for document in (
        change,
        leave,
        'mutation { updateProfile(input: {email: "x@y.test"}) { errors { code } } }',
    ):
        assert (await key(document)).code == "FORBIDDEN"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"name": ""}, ["input", "name"]),
        ({"name": "x" * 101}, ["input", "name"]),
        ({"name": "two\nlines"}, ["input", "name"]),
        ({"scopes": []}, ["input", "scopes"]),
        ({"expiresAt": "2026-11-22T12:00:00Z"}, ["input", "expiresAt"]),
    ],
)
async def test_bad_keys_are_refused(
    api: Api, database: Database, given: dict[str, object], path: list[str]
) -> None:
    account = await sign_up(api)
    refused = (await account.api(CREATE_KEY, input={"name": "fine", "scopes": ["READ"]} | given)).payload()
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [("BAD_USER_INPUT", path)]
    async with database.read() as connection:
        assert (await connection.execute(select(ApiKey.id))).all() == []


async def test_a_key_ends_by_itself(api: Api) -> None:
    account = await sign_up(api)
    given = {"name": "short", "scopes": ["READ"], "expiresAt": "2026-11-22T13:00:00+00:00"}
    key = api.as_((await account.api(CREATE_KEY, input=given)).payload()["key"])
    api.clock.forward(minutes=59, seconds=59)
    assert (await key(VIEWER)).code is None
    api.clock.forward(seconds=1)
    assert (await key(VIEWER)).code == "UNAUTHENTICATED"


REVOKE = "mutation($id: ID!) { revokeApiKey(input: {id: $id}) { apiKey { revokedAt } errors { code path } } }"
ROTATE = """mutation($input: RotateApiKeyInput!) { rotateApiKey(input: $input) {
    key apiKey { id name scopes } errors { code path } } }"""


async def test_a_revoked_key_ends_with_the_next_request(api: Api) -> None:
    account = await sign_up(api)
    made = (await account.api(CREATE_KEY, input={"name": "a", "scopes": ["READ"]})).payload()
    key = api.as_(made["key"])
    assert (await key(VIEWER)).code is None
    revoked = (await account.api(REVOKE, id=made["apiKey"]["id"])).payload()
    assert revoked == {"apiKey": {"revokedAt": "2026-11-22T12:00:00.000Z"}, "errors": []}
    assert (await key(VIEWER)).code == "UNAUTHENTICATED"
    api.clock.forward(minutes=1)
    again = (await account.api(REVOKE, id=made["apiKey"]["id"])).payload()
    assert again["apiKey"] == {"revokedAt": "2026-11-22T12:00:00.000Z"}


async def test_another_ones_key_does_not_exist(api: Api) -> None:
    account, stranger = await sign_up(api), await sign_up(api)
    made = (await account.api(CREATE_KEY, input={"name": "a", "scopes": ["READ"]})).payload()
    refused = (await stranger.api(REVOKE, id=made["apiKey"]["id"])).payload()
    assert refused["errors"] == [{"code": "NOT_FOUND", "path": ["input", "id"]}]
    refused = (await stranger.api(ROTATE, input={"id": made["apiKey"]["id"]})).payload()
    assert refused["errors"] == [{"code": "NOT_FOUND", "path": ["input", "id"]}]
    assert (await api.as_(made["key"])(VIEWER)).code is None
    wrong = (await account.api(REVOKE, id=account.id)).payload()
    assert wrong["errors"] == [{"code": "BAD_USER_INPUT", "path": ["input", "id"]}]


async def test_rotation_overlaps(api: Api) -> None:
    account = await sign_up(api)
    made = (await account.api(CREATE_KEY, input={"name": "deploys", "scopes": ["READ"]})).payload()
    rotated = (await account.api(ROTATE, input={"id": made["apiKey"]["id"], "overlapSeconds": 60})).payload()
    assert rotated["errors"] == []
    assert (rotated["apiKey"]["name"], rotated["apiKey"]["scopes"]) == ("deploys", ["READ"])
    old, new = api.as_(made["key"]), api.as_(rotated["key"])
    assert ((await old(VIEWER)).code, (await new(VIEWER)).code) == (None, None)
    api.clock.forward(seconds=60)
    assert ((await old(VIEWER)).code, (await new(VIEWER)).code) == ("UNAUTHENTICATED", None)
    refused = (await account.api(ROTATE, input={"id": made["apiKey"]["id"]})).payload()
    assert refused["errors"] == [{"code": "NOT_FOUND", "path": ["input", "id"]}]


async def test_keys_are_paged_newest_first(api: Api) -> None:
    account = await sign_up(api)
    for number in range(5):
        await account.api(CREATE_KEY, input={"name": f"key {number}", "scopes": ["READ"]})
    document = """query($first: Int, $after: String, $last: Int, $before: String) { viewer {
        apiKeys(first: $first, after: $after, last: $last, before: $before) {
            totalCount edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""

    async def names(**page: object) -> tuple[list[str], dict[str, object]]:
        keys = (await account.api(document, **page)).payload()["apiKeys"]
        assert keys["totalCount"] == 5
        return [edge["node"]["name"] for edge in keys["edges"]], keys["pageInfo"]

    first, info = await names(first=2)
    assert (first, info["hasNextPage"], info["hasPreviousPage"]) == (["key 4", "key 3"], True, False)
    second, info = await names(first=2, after=info["endCursor"])
    assert (second, info["hasNextPage"], info["hasPreviousPage"]) == (["key 2", "key 1"], True, True)
    third, last_info = await names(first=2, after=info["endCursor"])
    assert (third, last_info["hasNextPage"]) == (["key 0"], False)
    back, back_info = await names(last=2, before=last_info["startCursor"])
    assert (back, back_info["hasPreviousPage"], back_info["hasNextPage"]) == (["key 2", "key 1"], True, True)
    for bad in (
        {"first": 0},
        {"first": 101},
        {"first": 1, "last": 1},
        {"after": "nonsense"},
        {"after": "WzFd"},
    ):
        assert (await account.api(document, **bad)).code == "BAD_USER_INPUT"
