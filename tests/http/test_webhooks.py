"""The webhook: what is signed and whole is stored once and answered, whatever else is refused with 400."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import stripe
from httpx import Response
from pydantic import SecretStr
from sqlalchemy import Row, select
from structlog.testing import capture_logs

from app import metrics
from app.bootstrap import Settings
from app.db.database import Database
from app.db.migrate import upgrade
from app.db.models import WebhookEvent
from app.db.repositories import webhook_events
from app.domain.payments import WebhookStatus
from app.domain.webhooks import Event, read_event
from app.services import event_intake
from app.services.event_intake import Storing
from tests.support.clients import Api, Clock, served
from tests.support.payments import Shop
from tests.support.servers.own_postgres import OwnPostgres
from tests.support.servers.shared import server_folder
from tests.support.stand_in import SECRET, StandIn

PATH = "/webhooks/stripe"
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def event(**given: Any) -> dict[str, Any]:
    return {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "created": 1_795_000_000,
        "livemode": False,
        "api_version": stripe.api_version,
        "data": {"object": {"id": "pi_1", "object": "payment_intent"}},
        **given,
    }


def signed(body: bytes, *, at: float, secret: str = SECRET) -> str:
    """As the SDK signs, for any bytes and moment."""
    text = body.decode("utf-8", errors="surrogateescape")
    return str(stripe.WebhookSignature.generate_signature_header(text, secret, int(at)))


async def post(api: Api, given: Any, *, header: str | None = None, path: str = PATH, **how: Any) -> Response:
    body = given if isinstance(given, bytes) else orjson.dumps(given)
    header = signed(body, **{"at": api.clock.now.timestamp(), **how}) if header is None else header
    return await api.http.post(path, content=body, headers={"stripe-signature": header.encode()})


async def stored(database: Database) -> list[Row[Any]]:
    columns: tuple[Any, ...] = tuple(WebhookEvent.__table__.columns)
    async with database.read() as connection:
        return list((await connection.execute(select(*columns).order_by(WebhookEvent.id))).all())


def count(outcome: str) -> float:
    found = metrics.REGISTRY.get_sample_value("revgraph_webhooks_received_total", {"outcome": outcome})
    return found or 0.0


@pytest.mark.parametrize("path", [PATH, "/api/v1/webhooks/stripe"])
async def test_an_event_is_stored_as_it_came(shop: Shop, path: str) -> None:
    given = event(
        request={"id": None}, data={"object": {"id": "pi_1", "object": "payment_intent", "π": "\0"}}
    )
    answer = await post(shop.api, given, path=path)
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    (row,) = await stored(shop.api.deps.database)
    assert (row.stripe_event_id, row.event_type) == ("evt_1", "payment_intent.succeeded")
    assert (row.object_id, row.object_type) == ("pi_1", "payment_intent")
    assert (row.status, row.attempts, row.last_error, row.processed_at) == ("received", 0, None, None)
    assert (row.livemode, row.api_version, row.payload) == (False, stripe.api_version, given)
    assert row.happened_at.timestamp() == 1_795_000_000
    assert row.received_at == row.available_at == shop.api.clock.now


async def test_the_same_event_is_stored_once(shop: Shop) -> None:
    before = count("stored"), count("duplicate")
    answers = [await post(shop.api, event()) for _ in range(2)]
    answers += await asyncio.gather(*(post(shop.api, event()) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await stored(shop.api.deps.database)) == 1
    assert (count("stored"), count("duplicate")) == (before[0] + 1, before[1] + 21)


async def test_events_at_once_are_each_stored(shop: Shop) -> None:
    answers = await asyncio.gather(*(post(shop.api, event(id=f"evt_{n}")) for n in range(250)))
    assert {answer.status_code for answer in answers} == {200}
    assert {row.stripe_event_id for row in await stored(shop.api.deps.database)} == {
        f"evt_{n}" for n in range(250)
    }


@pytest.mark.parametrize("seconds", [-300, 300])
async def test_the_clocks_may_differ_by_five_minutes(shop: Shop, seconds: int) -> None:
    assert (
        await post(shop.api, event(), at=int(shop.api.clock.now.timestamp()) + seconds)
    ).status_code == 200


@pytest.mark.parametrize("seconds", [-301, 301, 10**9])
async def test_but_not_by_more_before_or_after(shop: Shop, seconds: int) -> None:
    moment = int(shop.api.clock.now.timestamp()) + seconds
    answer = await post(shop.api, event(), at=moment)
    assert (answer.status_code, answer.json()) == (400, {"error": "The signature is of another time."})
    assert await stored(shop.api.deps.database) == []


async def test_every_secret_is_tried(paying_settings: Settings, clock: Clock, database: Database) -> None:
    secrets = [SecretStr("whsec_new"), SecretStr("whsec_old")]
    async with served(paying_settings.model_copy(update={"stripe_webhook_secret": secrets}), clock) as api:
        codes = [
            (await post(api, event(id=f"evt_{secret}"), secret=secret)).status_code
            for secret in ("whsec_new", "whsec_old", "whsec_other", "")
        ]
    assert codes == [200, 200, 400, 400]
    assert [row.stripe_event_id for row in await stored(database)] == ["evt_whsec_new", "evt_whsec_old"]


async def test_one_good_signature_of_several_will_do(shop: Shop) -> None:
    body = orjson.dumps(event())
    good = signed(body, at=shop.api.clock.now.timestamp())
    moment, signature = good.split(",")
    header = f"{moment},v1={'0' * 64},{signature},v0=abc"
    assert (await post(shop.api, body, header=header)).status_code == 200


NOW = int(Clock().now.timestamp())
HEADERS = {
    "empty": "",
    "a word": "nonsense",
    "no moment": "v1=abc",
    "no signature": f"t={NOW}",
    "another scheme": f"t={NOW},v0={'0' * 64}",
    "wrong signature": f"t={NOW},v1={'0' * 64}",
    "not ASCII": f"t={NOW},v1=ü",
    "not ASCII in the moment": f"t=1²,v1={'0' * 64}",
    "moment is a word": f"t=now,v1={'0' * 64}",
    "moment is negative": f"t=-{NOW},v1={'0' * 64}",
    "moment is huge": f"t={'9' * 5000},v1={'0' * 64}",
    "moment beyond the calendar": f"t={'9' * 12},v1={'0' * 64}",
    "two moments": f"t={NOW},t={NOW},v1={'0' * 64}",
    "only commas": ",,,,",
    "only equals": "====",
    "equals in the moment": f"t={NOW}=1,v1={'0' * 64}",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
async def test_odd_signatures_are_refused(shop: Shop, header: str) -> None:
    assert (await post(shop.api, event(), header=header)).status_code == 400
    assert await stored(shop.api.deps.database) == []


async def test_an_old_signature_is_not_renewed_by_a_second_moment(shop: Shop) -> None:
    """Of two moments the SDK takes the last for the signature."""
    old = signed(orjson.dumps(event()), at=NOW - 3600)
    assert (await post(shop.api, event(), header=old)).status_code == 400
    assert (await post(shop.api, event(), header=f"t={NOW},{old}")).status_code == 400
    assert await stored(shop.api.deps.database) == []


async def test_the_header_stands_once(shop: Shop) -> None:
    body = orjson.dumps(event())
    good = signed(body, at=NOW).encode()
    missing = await shop.api.http.post(PATH, content=body)
    twice = await shop.api.http.post(PATH, content=body, headers=[("stripe-signature", good)] * 2)
    assert (missing.status_code, twice.status_code) == (400, 400)
    assert await stored(shop.api.deps.database) == []


async def test_a_changed_body_is_refused(shop: Shop) -> None:
    header = signed(orjson.dumps(event()), at=NOW)
    assert (await post(shop.api, event(id="evt_2"), header=header)).status_code == 400
    assert await stored(shop.api.deps.database) == []


BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "not UTF-8": b'{"id": "\xff"}',
    "null": b"null",
    "a list": b"[]",
    "a number": b"1",
    "equal keys": b'{"object": "event", "object": "event"}',
    "50,000 levels": b"[" * 50_000,
    "60,000 values": b"[" + b"0," * 60_000 + b"0]",
    "a long number": b'{"id": ' + b"9" * 5_000 + b"}",
    "a lone surrogate": orjson.dumps(event()).replace(b"evt_1", b"\\ud800"),
    "a thin event": event(object="v2.core.event", data=None),
    "another object": event(object="charge"),
    "no id": event(id=None),
    "an id that is a list": event(id=["evt_1"]),
    "an empty id": event(id=""),
    "an id with NUL": event(id="evt\0"),
    "an id with a line": event(id="evt_1\n"),
    "a long id": event(id="e" * 256),
    "a long type": event(type="t" * 101),
    "no type": event(type=7),
    "no moment": event(created=None),
    "a moment in words": event(created="now"),
    "a moment that is true": event(created=True),
    "a moment beyond the calendar": event(created=10**18),
    "half a moment": event(created=1.5),
    "no livemode": event(livemode=None),
    "a version that is a number": event(api_version=1),
    "no data": event(data=None),
    "data that is a list": event(data=[]),
    "no object": event(data={}),
    "an object that is a word": event(data={"object": "pi_1"}),
    "an object whose id is a list": event(data={"object": {"id": []}}),
    "an object whose id has NUL": event(data={"object": {"id": "a\0b"}}),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_odd_bodies_are_refused_though_signed(shop: Shop, body: Any) -> None:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    header = signed_bytes(raw, at=NOW)
    answer = await shop.api.http.post(PATH, content=raw, headers={"stripe-signature": header})
    assert answer.status_code == 400, answer.text
    assert await stored(shop.api.deps.database) == []


def signed_bytes(body: bytes, *, at: int) -> str:
    digest = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


async def test_what_the_database_cannot_hold_harms_no_other_event(database: Database) -> None:
    """Such as text nested more deeply than it can be written: how deep that is, is the interpreter's matter."""
    storing = Storing(database, clock=lambda: NEW_YEAR, on_stored=lambda: None)
    events = [read_event(event(id=f"evt_{n}")) for n in range(10)]
    events[5] = replace(events[5], payload={"unwritable": object()})
    outcomes = await asyncio.gather(
        *(storing.store(each, WebhookStatus.RECEIVED) for each in events), return_exceptions=True
    )
    assert [repr(each) for each in outcomes] == [
        "MalformedEvent('The event cannot be stored.')" if n == 5 else "True" for n in range(10)
    ]
    assert len(await stored(database)) == 9


async def test_who_no_longer_waits_takes_nobody_along(database: Database) -> None:
    woken: list[bool] = []
    storing = Storing(database, clock=lambda: NEW_YEAR, on_stored=lambda: woken.append(True))
    events = [read_event(event(id=f"evt_{n}")) for n in range(3)]
    waiting = [asyncio.create_task(storing.store(each, WebhookStatus.RECEIVED)) for each in events]
    await asyncio.sleep(0)
    waiting[0].cancel()
    async with asyncio.timeout(10):
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert outcomes[1:] == [True, True]
    assert woken == [True]


async def test_a_large_body_is_refused_before_it_is_read(shop: Shop) -> None:
    assert (await post(shop.api, b" " * 1_000_001)).status_code == 413

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 100_000

    unstated = await shop.api.http.post(PATH, content=chunks(), headers={"stripe-signature": "t=1"})
    assert unstated.status_code == 413


async def test_a_sender_that_goes_away_is_one_who_sent_no_event(shop: Shop) -> None:
    before, sent = count("refused"), []
    arriving = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(arriving)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": PATH, "headers": [], "query_string": b""}
    await shop.api.app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert count("refused") == before + 1
    assert await stored(shop.api.deps.database) == []


async def test_other_methods_are_refused(shop: Shop) -> None:
    assert (await shop.api.http.get(PATH)).status_code == 405


async def test_an_event_of_the_other_mode_is_kept_and_not_acted_on(shop: Shop) -> None:
    before = count("other_mode")
    with capture_logs() as logs:
        assert (await post(shop.api, event(livemode=True))).status_code == 200
    (row,) = await stored(shop.api.deps.database)
    assert (row.status, row.livemode) == ("ignored", True)
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["webhook_of_other_mode"]
    assert count("other_mode") == before + 1
    assert await shop.work() == []
    assert [row.status for row in await stored(shop.api.deps.database)] == ["ignored"]


@pytest.mark.parametrize("version", ["2020-08-27", None])
async def test_an_event_of_another_version_is_acted_on_and_told(shop: Shop, version: str | None) -> None:
    before = count("other_version")
    with capture_logs() as logs:
        assert (await post(shop.api, event(api_version=version))).status_code == 200
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["webhook_of_other_version"]
    assert count("other_version") == before + 1
    assert await shop.work() == []
    assert [row.status for row in await stored(shop.api.deps.database)] == ["processed"]


@pytest.mark.parametrize(
    ("absent", "named"),
    [("stripe_webhook_secret", "STRIPE_WEBHOOK_SECRET"), ("stripe_api_key", "STRIPE_API_KEY")],
)
async def test_without_configuration_it_says_so(
    paying_settings: Settings, clock: Clock, database: Database, absent: str, named: str
) -> None:
    nothing = Settings.model_fields[absent].default
    async with served(paying_settings.model_copy(update={absent: nothing}), clock) as api:
        with capture_logs() as logs:
            answer = await post(api, event())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert [(line["event"], line["missing"]) for line in logs if line["log_level"] == "error"] == [
        ("webhook_not_configured", named)
    ]
    assert await stored(database) == []


async def test_servers_that_were_sent_the_same_events_do_not_lock_each_other_out(
    database: Database, open_database: Callable[[], Database]
) -> None:
    """They arrive in opposite orders, while one from the middle is about to be stored by a third."""
    events = [read_event(event(id=f"evt_{n}")) for n in range(3)]

    async def store(given: Sequence[Event]) -> set[str]:
        server = open_database()
        async with server.transaction() as connection:
            new = await webhook_events.add(
                connection, [(each, WebhookStatus.RECEIVED) for each in given], now=NEW_YEAR
            )
        await server.close()
        return new

    storing = []
    async with database.transaction() as connection:
        await webhook_events.add(connection, [(events[1], WebhookStatus.RECEIVED)], now=NEW_YEAR)
        for given in (events, events[::-1]):
            storing.append(asyncio.create_task(store(given)))
            await asyncio.sleep(0.2)  # each stands before what another one is about to store
    assert sorted(map(len, await asyncio.gather(*storing))) == [0, 2]
    assert len(await stored(database)) == 3


async def test_while_the_provider_is_away_events_are_taken(shop: Shop, stand_in: StandIn) -> None:
    stand_in.ask("/faults", kind="error", status=500, path="*", times=1000)
    begun = time.perf_counter()
    assert (await post(shop.api, event())).status_code == 200
    assert time.perf_counter() - begun < 1
    failures = await shop.work()
    assert [failure.split(":")[1].strip() for failure in failures] == ["OutcomeUnknown"]
    (row,) = await stored(shop.api.deps.database)
    assert (row.status, row.attempts) == ("failed", 1)


async def test_while_the_database_is_away_the_event_shall_come_again(shop: Shop) -> None:
    before = count("not_stored")
    database = shop.api.deps.database
    async with database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE webhook_events RENAME TO elsewhere")
    with capture_logs() as logs:
        answers = await asyncio.gather(*(post(shop.api, event(id=f"evt_{n}")) for n in range(3)))
    assert {(answer.status_code, answer.headers["retry-after"]) for answer in answers} == {(503, "5")}
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["webhook_not_stored"] * 3
    assert count("not_stored") == before + 3
    async with database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO webhook_events")
    assert (await post(shop.api, event())).status_code == 200
    assert len(await stored(database)) == 1


async def test_while_the_database_does_not_answer_the_event_shall_come_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_intake, "SECONDS", 0.3)
    monkeypatch.setattr(event_intake, "MOST_WAITING", 3)
    blocking = [(read_event(event()), WebhookStatus.RECEIVED)]
    with capture_logs() as logs:
        async with asyncio.timeout(10), shop.api.deps.database.transaction() as connection:
            await webhook_events.add(connection, blocking, now=NEW_YEAR)
            answers = await asyncio.gather(*(post(shop.api, event()) for _ in range(8)))
            await connection.rollback()
    assert {answer.status_code for answer in answers} == {503}
    reasons = {line["error"].split(":")[0] for line in logs if line["event"] == "webhook_not_stored"}
    assert reasons == {"TimeoutError", "TooMany"}
    assert await stored(shop.api.deps.database) == []
    assert (await post(shop.api, event())).status_code == 200


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_while_postgresql_is_stopped_the_event_shall_come_again(
    paying_settings: Settings, clock: Clock
) -> None:
    """The fixture's database is not used, but a server of its own: stopped, and started again."""
    with server_folder() as folder:
        own = OwnPostgres(folder)
        settings = paying_settings.model_copy(update={"database_url": own.server.create_database("shop")})
        database = Database(settings.database_url)
        await upgrade(database)
        async with served(settings, clock) as api:
            assert (await post(api, event(id="evt_before"))).status_code == 200
            own.stop()
            answers = await asyncio.gather(*(post(api, event(id="evt_meanwhile")) for _ in range(3)))
            assert {(each.status_code, each.headers["retry-after"]) for each in answers} == {(503, "5")}
            own.start()
            assert [(await post(api, event(id="evt_meanwhile"))).status_code for _ in range(2)] == [200, 200]
        assert [row.stripe_event_id for row in await stored(database)] == ["evt_before", "evt_meanwhile"]
        await database.close()
