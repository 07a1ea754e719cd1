"""An admin sees what background work was given up, and has it tried again."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Row, select

from app.db.database import Database
from app.db.models import AuditEntry, OutboxFact, WebhookEvent
from app.domain.api_keys import Role
from app.schema.node import global_id, split_id
from app.settlement import events
from tests.support.background import make_event, make_job
from tests.support.clients import Account, Api, sign_up, sign_up_as
from tests.support.factories import NOW
from tests.support.payments import Shop

EVENTS = """query($status: WebhookStatus, $first: Int, $after: String) {
    webhookEvents(status: $status, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
        edges { node { id stripeEventId eventType objectType objectId status attempts lastError livemode
            apiVersion happenedAt receivedAt availableAt processedAt } } } }"""
JOBS = """query($state: JobState! = DEAD) { jobs(state: $state) { totalCount
    edges { node { id topic state attempts lastError createdAt doneAt } } } }"""
REPLAY = """mutation($input: ReplayWebhookEventInput!) { replayWebhookEvent(input: $input) {
    webhookEvent { id status attempts lastError } errors { code message path } } }"""
REPLAY_JOB = """mutation($input: ReplayJobInput!) { replayJob(input: $input) {
    job { id state attempts lastError } errors { code message path } } }"""


@pytest.fixture
async def admin(api: Api) -> Account:
    return await sign_up_as(api, Role.ADMIN)


async def audited(database: Database) -> list[Row[Any]]:
    columns = (AuditEntry.action, AuditEntry.actor_id, AuditEntry.subject_id, AuditEntry.details)
    replays = AuditEntry.action.in_(["replay_webhook_event", "replay_job"])
    async with database.read() as connection:
        return list((await connection.execute(select(*columns).where(replays).order_by(AuditEntry.id))).all())


async def test_events_are_listed_by_status_the_newest_first(admin: Account, database: Database) -> None:
    made = [
        await make_event(database, stripe_event_id=f"evt_{n}", status=status)
        for n, status in enumerate(["dead", "processed", "dead"])
    ]
    found = (await admin.api(EVENTS)).payload()
    assert found["totalCount"] == 3
    assert [edge["node"]["stripeEventId"] for edge in found["edges"]] == ["evt_2", "evt_1", "evt_0"]
    dead = (await admin.api(EVENTS, status="DEAD", first=1)).payload()
    assert (dead["totalCount"], dead["pageInfo"]["hasNextPage"]) == (2, True)
    rest = (await admin.api(EVENTS, status="DEAD", after=dead["pageInfo"]["endCursor"])).payload()
    assert rest["pageInfo"]["hasNextPage"] is False
    assert [edge["node"] for edge in rest["edges"]] == [
        {
            "id": global_id("WebhookEvent", made[0].id),
            "stripeEventId": "evt_0",
            "eventType": "charge.succeeded",
            "objectType": "charge",
            "objectId": "ch_1",
            "status": "DEAD",
            "attempts": 20,
            "lastError": "RuntimeError: no luck",
            "livemode": False,
            "apiVersion": None,
            "happenedAt": "2026-01-15T12:00:00.000Z",
            "receivedAt": "2026-01-15T12:00:00.000Z",
            "availableAt": "2026-01-15T12:00:00.000Z",
            "processedAt": None,
        }
    ]


async def test_jobs_that_were_given_up_are_listed(admin: Account, database: Database) -> None:
    dead = await make_job(database)
    await make_job(database, state="done", attempts=1, last_error=None, done_at=NOW)
    found = (await admin.api(JOBS)).payload()
    assert found["totalCount"] == 1
    assert [edge["node"] for edge in found["edges"]] == [
        {
            "id": global_id("Job", dead.id),
            "topic": "account.password_changed",
            "state": "DEAD",
            "attempts": 10,
            "lastError": "RuntimeError: no luck",
            "createdAt": "2026-01-15T12:00:00.000Z",
            "doneAt": None,
        }
    ]
    assert (await admin.api(JOBS, state="DONE")).payload()["totalCount"] == 1


async def test_a_dead_event_is_acted_on_again(shop: Shop) -> None:
    database, admin = shop.api.deps.database, await sign_up_as(shop.api, Role.ADMIN)
    event = await make_event(database)
    answer = (await admin.api(REPLAY, input={"id": global_id("WebhookEvent", event.id)})).payload()
    assert answer == {
        "webhookEvent": {
            "id": global_id("WebhookEvent", event.id),
            "status": "RECEIVED",
            "attempts": 0,
            "lastError": None,
        },
        "errors": [],
    }
    assert await shop.work() == []
    async with database.read() as connection:
        columns = (WebhookEvent.status, WebhookEvent.attempts)
        assert [tuple(row) for row in (await connection.execute(select(*columns))).all()] == [("ignored", 1)]
    (entry,) = await audited(database)
    assert entry.action == "replay_webhook_event"
    assert (entry.actor_id, entry.subject_id) == ((split_id(admin.id) or ("", None))[1], event.id)
    assert entry.details == {"event": "evt_dead", "status": "dead"}


async def test_an_event_of_the_other_mode_is_never_acted_on(shop: Shop) -> None:
    database, admin = shop.api.deps.database, await sign_up_as(shop.api, Role.ADMIN)
    event = await make_event(database, livemode=True, status="ignored")
    answer = (await admin.api(REPLAY, input={"id": global_id("WebhookEvent", event.id)})).payload()
    assert [(error["code"], error["path"]) for error in answer["errors"]] == [("CONFLICT", ["input", "id"])]
    assert answer["webhookEvent"] is None
    assert await audited(database) == []


async def test_a_dead_job_is_tried_again(admin: Account, api: Api, database: Database) -> None:
    job = await make_job(database)
    answer = (await admin.api(REPLAY_JOB, input={"id": global_id("Job", job.id)})).payload()
    assert answer["errors"] == []
    assert answer["job"] == {
        "id": global_id("Job", job.id),
        "state": "WAITING",
        "attempts": 0,
        "lastError": None,
    }
    (entry,) = await audited(database)
    assert (entry.action, entry.details) == ("replay_job", {"topic": "account.password_changed"})


@pytest.mark.parametrize("state", ["waiting", "done"])
async def test_only_dead_jobs_are_tried_again(admin: Account, database: Database, state: str) -> None:
    job = await make_job(database, state=state)
    answer = (await admin.api(REPLAY_JOB, input={"id": global_id("Job", job.id)})).payload()
    assert [error["code"] for error in answer["errors"]] == ["CONFLICT"]
    async with database.read() as connection:
        columns = (OutboxFact.state, OutboxFact.attempts)
        rows = (await connection.execute(select(*columns).where(OutboxFact.id == job.id))).all()
    assert [tuple(row) for row in rows] == [(state, 10)]
    assert await audited(database) == []


@pytest.mark.parametrize(("document", "kind"), [(REPLAY, "WebhookEvent"), (REPLAY_JOB, "Job")])
async def test_what_does_not_exist_is_not_replayed(admin: Account, document: str, kind: str) -> None:
    nobody = "00000000-0000-7000-8000-000000000000"
    unknown = await admin.api(document, input={"id": global_id(kind, UUID(nobody))})
    wrong = await admin.api(document, input={"id": admin.id})
    assert [error["code"] for error in unknown.payload()["errors"]] == ["NOT_FOUND"]
    assert [error["code"] for error in wrong.payload()["errors"]] == ["BAD_USER_INPUT"]


async def test_by_their_ids_only_an_admin_sees_them(admin: Account, api: Api, database: Database) -> None:
    ids = [
        global_id("WebhookEvent", (await make_event(database)).id),
        global_id("Job", (await make_job(database)).id),
    ]
    document = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    customer, support = await sign_up(api), await sign_up_as(api, Role.SUPPORT)
    assert (await admin.api(document, ids=ids)).payload() == [{"id": each} for each in ids]
    for account in (customer, support):
        assert (await account.api(document, ids=ids)).payload() == [None, None]
    assert (await customer.api(EVENTS)).code == "FORBIDDEN"
    assert (await support.api(REPLAY, input={"id": ids[0]})).code == "FORBIDDEN"


def test_the_dead_event_of_these_tests_has_no_line() -> None:
    assert events.line_of("charge.succeeded") is None
