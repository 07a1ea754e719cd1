"""How many statements does each step of a subscription send, and does SQLite answer them through indexes?"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.integration.test_payment_methods import DEFAULT, REMOVE, START, add
from tests.integration.test_query_plans import refuse_scans
from tests.support.clients import LOGIN, PASSWORD
from tests.support.statements import recorded
from tests.support.subscribing import CANCEL, CHANGE, PREVIEW, RESUME, Subscriber, new_key

SENT = {
    # With the three of every signed-in operation, and five for each look at an object under its lease.
    "preview": 11,
    "start": 33,
    "upgrade": 27,
    "downgrade": 28,
    "resume": 24,
    "cancel": 24,
    "startAddPaymentMethod": 8,
    "setDefaultPaymentMethod": 28,
    "removePaymentMethod": 32,
}


@pytest.fixture
async def counts(subscriber: Subscriber) -> dict[str, list[Any]]:
    """The statements of each, in the life of one subscription."""
    seen: dict[str, list[Any]] = {}

    async def ask(name: str, send: Callable[[], Awaitable[Any]]) -> Any:
        with recorded(subscriber.shop.api.deps.database) as statements:
            payload = (await send()).payload()
        assert payload["errors"] == [], name
        seen[name] = list(statements)
        return payload

    async def change(name: str, tier: str, interval: str) -> None:
        quote = (await subscriber.preview(tier, interval))["quote"]["id"]
        given = {"tier": tier, "interval": interval, "quoteId": quote, "idempotencyKey": new_key()}
        await ask(name, lambda: subscriber.api(CHANGE, input=given))

    first = await add(subscriber)
    signed = (
        await subscriber.shop.api(LOGIN, input={"email": subscriber.account.email, "password": PASSWORD})
    ).payload()
    session = subscriber.shop.api.as_(signed["accessToken"])
    await ask("preview", lambda: subscriber.api(PREVIEW, input={"tier": "PRO"}))
    await change("start", "PRO", "MONTH")
    await change("upgrade", "ENTERPRISE", "MONTH")
    await change("downgrade", "PRO", "MONTH")
    await ask("resume", lambda: subscriber.api(RESUME, input={"idempotencyKey": new_key()}))
    await ask("cancel", lambda: subscriber.api(CANCEL, input={"idempotencyKey": new_key()}))
    await ask("startAddPaymentMethod", lambda: session(START, input={"idempotencyKey": new_key()}))
    other = await add(subscriber, "pm_card_mastercard")
    await ask("setDefaultPaymentMethod", lambda: session(DEFAULT, input={"paymentMethodId": other}))
    await ask("removePaymentMethod", lambda: session(REMOVE, input={"paymentMethodId": first}))
    return seen


async def test_each_step_sends_its_number(counts: dict[str, list[Any]]) -> None:
    numbers = {name: len(statements) for name, statements in counts.items()}
    assert numbers == SENT


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_no_step_scans_a_table(subscriber: Subscriber, counts: dict[str, list[Any]]) -> None:
    await refuse_scans(
        subscriber.shop.api.deps.database, [each for statements in counts.values() for each in statements]
    )
