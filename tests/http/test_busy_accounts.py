"""Accounts that call often are counted by blocks: does anybody see a difference, but for the time it takes?"""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.db.database import Database
from app.db.models import Subscription, UsageCounter, UsageReservation, User
from app.domain.plans import Resource, Tier
from app.services import usage
from tests.support.clients import PASSWORD, Account, Api, make_key, sign_up
from tests.support.statements import counted

PLANS = "{ plans { name } }"
TWENTY = "{ " + " ".join(f"p{n}: plans {{ name }}" for n in range(20)) + " }"
METERS = "{ viewer { usage { meters { resource used reserved limit remaining } } } }"
DELETE = "mutation($input: DeleteAccountInput!) { deleteAccount(input: $input) { errors { code } } }"
REVOKE = "mutation($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { errors { code } } }"
KEYS = "{ viewer { apiKeys { edges { node { id } } } } }"


@pytest.fixture
async def busy(api: Api) -> Account:
    """Has made 80 calls, and holds a block of 9 of which one is used."""
    account = await sign_up(api)
    for _ in range(4):
        assert (await account.api(TWENTY)).errors == []
    assert (await account.api(PLANS)).errors == []
    assert await held(api) == [9]
    return account


async def held(api: Api) -> list[int]:
    async with api.deps.database.read() as connection:
        return list((await connection.execute(select(UsageReservation.amount))).scalars())


async def stored(api: Api) -> tuple[int, int]:
    """(used, reserved) of API calls."""
    statement = select(UsageCounter.used, UsageCounter.reserved).where(
        UsageCounter.resource == Resource.API_CALL
    )
    async with api.deps.database.read() as connection:
        row = (await connection.execute(statement)).one()
    return row.used, row.reserved


async def meter(account: Account) -> tuple[int, int, int | None]:
    answer = await account.api(METERS)
    (calls,) = [each for each in answer.data["viewer"]["usage"]["meters"] if each["resource"] == "API_CALL"]
    assert calls["limit"] is None or calls["remaining"] == calls["limit"] - calls["used"] - calls["reserved"]
    return calls["used"], calls["reserved"], calls["remaining"]


async def test_headers_and_meters_tell_what_was_used(api: Api, busy: Account) -> None:
    assert await stored(api) == (80, 9)
    remaining = [int((await busy.api(PLANS)).response.headers["x-quota-remaining"]) for _ in range(5)]
    assert remaining == [918, 917, 916, 915, 914]
    assert await stored(api) == (80, 9), "none of them wrote"
    assert await meter(busy) == (87, 0, 913)


async def test_a_call_from_a_block_writes_nothing(api: Api, busy: Account) -> None:
    with counted(api.deps.database) as statements:
        assert (await busy.api(PLANS)).errors == []
    assert len(statements) == 1, "the viewer is looked up each time"
    with counted(api.deps.database) as statements:
        assert (await busy.api("{ viewer { email } }")).errors == []
    assert len(statements) == 1, "the row that proves the session is the account's"


async def test_another_server_sees_the_block_as_reserved(api: Api, busy: Account, database: Database) -> None:
    await api.deps.calls.look(api.clock())  # just used
    assert await stored(api) == (80, 9)
    await api.deps.calls.look(api.clock())  # idle
    assert await stored(api) == (81, 0)
    assert await usage.drift(database=database) == []


async def test_a_revoked_key_ends_in_the_middle_of_a_block(api: Api, busy: Account) -> None:
    key = await make_key(busy, "READ")
    by_key = api.as_(key)
    assert (await by_key(PLANS)).errors == []
    (edge,) = (await busy.api(KEYS)).data["viewer"]["apiKeys"]["edges"]
    assert (await busy.api(REVOKE, input={"id": edge["node"]["id"]})).payload() == {"errors": []}
    used, _, _ = await meter(busy)
    assert (await by_key(PLANS)).code == "UNAUTHENTICATED"
    assert await meter(busy) == (used + 1, 0, 1000 - used - 1), "the refused call was not counted"


async def test_a_deleted_account_leaves_its_usage_to_the_books(
    api: Api, busy: Account, database: Database
) -> None:
    gone = await busy.api(DELETE, input={"password": PASSWORD})
    assert gone.payload() == {"errors": []}
    assert (await busy.api(PLANS)).code == "UNAUTHENTICATED"
    for _ in range(2):
        await api.deps.calls.look(api.clock())
    assert await stored(api) == (82, 0)
    assert await usage.drift(database=database) == []


async def test_a_change_of_plan_counts_at_once(api: Api, busy: Account) -> None:
    await change_tier(api, Tier.PRO)
    response = (await busy.api(PLANS)).response
    assert response.headers["x-quota-limit"] == "100000"
    assert response.headers["x-quota-remaining"] == str(100_000 - 82)
    assert await stored(api) == (81, 20)
    await change_tier(api, Tier.ENTERPRISE)
    response = (await busy.api(PLANS)).response
    assert "x-quota-limit" not in response.headers
    assert await meter(busy) == (84, 0, None)


async def change_tier(api: Api, tier: Tier) -> None:
    async with api.deps.database.transaction() as connection:
        await connection.execute(update(User).values(tier=tier))
        await connection.execute(update(Subscription).values(tier=tier))


async def test_a_new_month_begins_at_its_moment(api: Api, busy: Account) -> None:
    api.clock.now += timedelta(days=30)
    again = await sign_in_again(api, busy)
    response = (await again.api(PLANS)).response
    assert response.headers["x-quota-remaining"] == "999"
    async with api.deps.database.read() as connection:
        rows = (
            await connection.execute(
                select(UsageCounter.used, UsageCounter.reserved).order_by(UsageCounter.period_start)
            )
        ).all()
    assert [(row.used, row.reserved) for row in rows] == [(81, 0), (1, 0)]


async def sign_in_again(api: Api, account: Account) -> Account:
    document = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }"
    made = (await api(document, input={"email": account.email, "password": PASSWORD})).payload()
    account.api = api.as_(made["accessToken"])
    return account


async def test_to_the_last_call_and_no_further(api: Api, busy: Account) -> None:
    refused = 0
    for _ in range(50):
        refused += (await busy.api(TWENTY)).code == "QUOTA_EXCEEDED"
    assert refused == 5
    admitted = 0
    while (answer := await busy.api(PLANS)).errors == []:
        admitted += 1
    assert answer.code == "QUOTA_EXCEEDED"
    assert admitted == 19
    assert await stored(api) == (1000, 0)
    assert answer.response.headers["x-quota-remaining"] == "0"
