"""recordUsage through the front door: who may, and what each event is answered."""

from typing import Any

import pytest
from sqlalchemy import func, select

from app.db.models import UsageEvent
from app.domain.api_keys import Role
from tests.support.clients import Account, Answer, Api, make_key, sign_up, sign_up_as

RECORD = """mutation($events: [UsageEventInput!]!) { recordUsage(input: {events: $events}) {
    results { eventId status error { code message path
        ... on QuotaExceeded { resource used limit resetsAt } } }
    errors { code message path } } }"""


def event(account: Account, event_id: str = "e-1", **given: Any) -> dict[str, Any]:
    values = {"userId": account.id, "resource": "TEMPLATE_INSTALL", "amount": 1}
    return {"eventId": event_id, "occurredAt": "2026-11-22T11:59:00Z", **values, **given}


async def reported(api: Api) -> int:
    statement = select(func.count()).select_from(UsageEvent).where(UsageEvent.reporter_id.is_not(None))
    async with api.deps.database.read() as connection:
        return (await connection.execute(statement)).scalar_one()


async def test_a_service_with_a_scoped_key_records_usage(api: Api) -> None:
    admin, customer = await sign_up_as(api, Role.ADMIN), await sign_up(api)
    service = api.as_(await make_key(admin, "USAGE_WRITE"))
    events = [
        event(customer, "a", amount=2),
        event(customer, "b", userId="VXNlcjpub25zZW5zZQ"),
        event(customer, "a", amount=2),
        event(customer, "c", amount=4),
        event(customer, "d", resource="STORAGE_BYTES"),
    ]
    payload = (await service(RECORD, events=events)).payload()
    assert payload["errors"] == []
    assert [(each["eventId"], each["status"]) for each in payload["results"]] == [
        ("a", "RECORDED"),
        ("b", "REFUSED"),
        ("a", "DUPLICATE"),
        ("c", "REFUSED"),
        ("d", "REFUSED"),
    ]
    errors = [each["error"] for each in payload["results"] if each["error"]]
    assert [(error["code"], error["path"]) for error in errors] == [
        ("BAD_USER_INPUT", ["input", "events", "1", "userId"]),
        ("QUOTA_EXCEEDED", ["input", "events", "3"]),
        ("BAD_USER_INPUT", ["input", "events", "4", "resource"]),
    ]
    assert {name: errors[1][name] for name in ("resource", "used", "limit")} == {
        "resource": "TEMPLATE_INSTALL",
        "used": 2,
        "limit": 5,
    }
    assert await reported(api) == 1


async def test_a_batch_of_the_wrong_size_is_the_payloads_error(api: Api) -> None:
    service = api.as_(await make_key(await sign_up_as(api, Role.ADMIN), "USAGE_WRITE"))
    payload = (await service(RECORD, events=[])).payload()
    assert payload["results"] == []
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [
        ("BAD_USER_INPUT", ["input", "events"])
    ]


@pytest.mark.parametrize("asker", ["nobody", "customer", "key without the scope"])
async def test_customers_cannot_state_usage(api: Api, asker: str) -> None:
    customer = await sign_up(api)
    admin = await sign_up_as(api, Role.ADMIN)
    answers: dict[str, Answer] = {
        "nobody": await api(RECORD, events=[event(customer)]),
        "customer": await customer.api(RECORD, events=[event(customer)]),
        "key without the scope": await api.as_(await make_key(admin, "READ", "WRITE"))(
            RECORD, events=[event(customer)]
        ),
    }
    assert answers[asker].code == ("UNAUTHENTICATED" if asker == "nobody" else "FORBIDDEN")
    assert await reported(api) == 0
