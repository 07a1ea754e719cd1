"""Customers at the provider: one an account, however often and whenever it is asked for."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.db.models import ObjectLease, OutboxFact, User
from app.domain.errors import Unauthenticated
from app.domain.outbox import Topic
from app.domain.settlement import Kind, Target
from app.jobs import HANDLERS
from app.ports.provider import OutcomeUnknown
from app.schema.node import split_id
from app.settlement.customers import ensure_customer, pass_on
from app.settlement.syncing import sync
from app.worker import Worker
from tests.support.clients import PASSWORD, Account, sign_up
from tests.support.payments import Shop

RENAME = """mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { errors { code } } }"""


@pytest.fixture
async def account(shop: Shop) -> Account:
    return await sign_up(shop.api, name="olive")


def user_id(account: Account) -> UUID:
    _, uuid = split_id(account.id) or ("", None)
    assert uuid is not None
    return uuid


async def ensure(shop: Shop, account: Account) -> str:
    return await ensure_customer(shop.api.deps.tools, user_id(account))


def at_the_provider(shop: Shop) -> list[tuple[Any, ...]]:
    found = shop.stand_in.form("GET", "/v1/customers").json()["data"]
    return [(each["id"], each["email"], each["name"], each["metadata"]) for each in found]


async def column(shop: Shop, column: Any) -> list[Any]:
    async with shop.api.deps.database.read() as connection:
        return list((await connection.execute(select(column))).scalars().all())


async def test_an_account_becomes_one_customer(shop: Shop, account: Account) -> None:
    made = await ensure(shop, account)
    assert await ensure(shop, account) == made
    assert at_the_provider(shop) == [
        (made, "olive@example.test", "olive", {"user_id": str(user_id(account))})
    ]
    assert await column(shop, User.stripe_customer_id) == [made]
    assert await column(shop, ObjectLease.object_id) == []


async def test_requests_at_once_get_one_customer(shop: Shop, account: Account) -> None:
    made = await asyncio.gather(*(ensure(shop, account) for _ in range(5)))
    assert len(set(made)) == 1
    assert [each[0] for each in at_the_provider(shop)] == [made[0]]


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/customers/*"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_answer_makes_no_second_customer(
    shop: Shop, account: Account, path: str, when: str
) -> None:
    """Neither when the address changed before it was asked again."""
    shop.lose(path, when=when)
    with pytest.raises(OutcomeUnknown):
        await ensure(shop, account)
    assert await column(shop, User.stripe_customer_id) == [None]
    await account.api(RENAME, input={"email": "new@example.test"})
    made = await ensure(shop, account)
    assert [each[:2] for each in at_the_provider(shop)] == [(made, "new@example.test")]


async def test_what_is_renamed_is_passed_on(shop: Shop, account: Account) -> None:
    made = await ensure(shop, account)
    for change in ({"email": "new@example.test"}, {"displayName": "Olive Oyl"}):
        assert (await account.api(RENAME, input=change)).payload()["errors"] == []
    worker = Worker(shop.api.deps, handlers={Topic.CUSTOMER_CHANGED: HANDLERS[Topic.CUSTOMER_CHANGED]})
    assert [topic for topic in await column(shop, OutboxFact.topic) if topic == Topic.CUSTOMER_CHANGED] == [
        Topic.CUSTOMER_CHANGED
    ] * 2
    await worker.work_once()
    assert [each[:3] for each in at_the_provider(shop)] == [(made, "new@example.test", "Olive Oyl")]


async def test_who_has_paid_nothing_is_not_told_of(shop: Shop, account: Account) -> None:
    await account.api(RENAME, input={"email": "new@example.test"})
    assert Topic.CUSTOMER_CHANGED not in await column(shop, OutboxFact.topic)
    await pass_on(shop.api.deps.tools, user_id(account))
    assert at_the_provider(shop) == []


async def test_a_change_in_the_middle_is_passed_on_after(
    shop: Shop, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address changes after the provider was told the old one and before the customer is recorded."""
    customers = shop.api.deps.tools.provider.customers
    told = customers.change

    async def change(customer_id: str, params: Any) -> Any:
        answer = await told(customer_id, params)
        await account.api(RENAME, input={"email": "new@example.test"})
        return answer

    monkeypatch.setattr(customers, "change", change)
    made = await ensure(shop, account)
    monkeypatch.setattr(customers, "change", told)
    assert [each[1] for each in at_the_provider(shop)] == ["olive@example.test"]
    assert Topic.CUSTOMER_CHANGED in await column(shop, OutboxFact.topic)
    await pass_on(shop.api.deps.tools, user_id(account))
    assert [each[:2] for each in at_the_provider(shop)] == [(made, "new@example.test")]


async def test_a_customer_that_was_deleted_there_is_made_anew(shop: Shop, account: Account) -> None:
    gone = await ensure(shop, account)
    shop.stand_in.form("DELETE", f"/v1/customers/{gone}")
    await pass_on(shop.api.deps.tools, user_id(account))
    tools = shop.api.deps.tools
    made = await asyncio.gather(
        *(ensure_customer(tools, user_id(account), instead_of=gone) for _ in range(3))
    )
    assert made == [made[0]] * 3
    assert made[0] != gone
    assert [each[:2] for each in at_the_provider(shop)] == [(made[0], "olive@example.test")]
    assert await ensure(shop, account) == made[0]


async def test_a_customer_that_is_known_to_be_deleted_is_forgotten(shop: Shop, account: Account) -> None:
    """Within the day in which the provider answers the first key again."""
    gone = await ensure(shop, account)
    shop.stand_in.form("DELETE", f"/v1/customers/{gone}")
    for _ in range(2):
        await sync(shop.api.deps.tools, Target(Kind.CUSTOMER, gone))
        assert gone not in await column(shop, User.stripe_customer_id)
    made = await ensure(shop, account)
    assert made != gone
    assert [each[:2] for each in at_the_provider(shop)] == [(made, "olive@example.test")]
    await sync(shop.api.deps.tools, Target(Kind.CUSTOMER, gone))
    assert await ensure(shop, account) == made


async def test_an_account_that_has_ended_becomes_no_customer(shop: Shop, account: Account) -> None:
    await account.api(
        f'mutation {{ deleteAccount(input: {{password: "{PASSWORD}"}}) {{ errors {{ code }} }} }}'
    )
    with pytest.raises(Unauthenticated):
        await ensure(shop, account)
    assert at_the_provider(shop) == []
