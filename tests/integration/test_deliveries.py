"""Deliveries: the file of a link, once, by ranges, within the limits, whatever happens on the way."""

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import update
from starlette.applications import Starlette

from app.db.database import Database
from app.db.models import Download, Licence, UsageReservation, User
from app.domain.downloads import new_link
from app.gateways.licences import Ed25519Signer
from app.ports import StorageError
from app.transfers import downloads as transfers
from tests.support.factories import (
    NOW,
    make_file,
)
from tests.support.shop import CONTENT, SHA, TOKENS, Shop, Store, open_shop, rows
from tests.support.statements import counted


@pytest.fixture
async def shop(database: Database) -> Shop:
    return await open_shop(database)


async def test_the_whole_file_once(shop: Shop) -> None:
    url = (await shop.link()).url
    answer = await shop.get(url)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert dict(answer.headers) == {
        "accept-ranges": "bytes",
        "cache-control": "private, no-store",
        "content-disposition": (
            "attachment; filename=\"th_me _1_.zip\"; filename*=UTF-8''th%C3%A8me%20%221%22.zip"
        ),
        "content-length": "10240",
        "content-type": "application/gzip",
        "etag": f'"{SHA}"',
        "repr-digest": f"sha-256=:{b64encode(hashlib.sha256(CONTENT).digest()).decode()}:",
        "x-checksum-sha256": SHA,
        "x-content-type-options": "nosniff",
    }
    row = await shop.row()
    assert (row.covered, row.delivered_bytes, row.completed_at) == ([[0, 10240]], 10240, NOW)
    assert (row.reservation_id, row.running_until) == (None, None)
    assert (await shop.downloads(), await shop.reserved(), shop.store.closed) == (1, 0, 1)

    again = await shop.get(url)
    assert again.status_code == 410
    assert again.json()["errors"][0]["extensions"] == {"code": "INVALID_TOKEN"}
    assert (await shop.get(url, "HEAD")).status_code == 410
    assert (await shop.downloads(), await shop.reserved()) == (1, 0)


async def test_an_empty_file(shop: Shop) -> None:
    await make_file(shop.database, version=shop.version, content=b"", position=1, path="empty")
    answer = await shop.get((await shop.link(path="empty")).url)
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")
    assert ((await shop.row()).completed_at, await shop.downloads()) == (NOW, 1)


async def test_head_tells_everything_and_takes_nothing(shop: Shop) -> None:
    url = (await shop.link()).url
    before = await shop.row()
    answer = await shop.get(url, "HEAD", range="bytes=0-9")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "10240")
    assert (await shop.row(), await shop.downloads(), shop.store.given) == (before, 0, 0)


async def test_ranges_complete_the_file_in_any_order(shop: Shop) -> None:
    url = (await shop.link()).url
    for header, start, stop in (
        ("bytes=-240", 10_000, 10_240),
        ("bytes=0-4999", 0, 5_000),
        ("bytes=3000-5999", 3_000, 6_000),
    ):
        answer = await shop.get(url, range=header)
        assert (answer.status_code, answer.content) == (206, CONTENT[start:stop])
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/10240"
        assert answer.headers["content-length"] == str(stop - start)
        assert ((await shop.row()).completed_at, await shop.downloads()) == (None, 0)
    assert (await shop.row()).covered == [[0, 6000], [10_000, 10_240]]
    assert (await shop.get(url, range="bytes=6000-")).content == CONTENT[6000:]
    row = await shop.row()
    assert (row.covered, row.delivered_bytes, row.completed_at) == ([[0, 10240]], 12480, NOW)
    assert (await shop.downloads(), (await shop.get(url)).status_code) == (1, 410)


@pytest.mark.parametrize("header", ["bytes=10240-", "bytes=-0", "bytes=99999-100000"])
async def test_a_range_outside_of_the_file(shop: Shop, header: str) -> None:
    answer = await shop.get((await shop.link()).url, range=header)
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */10240")
    assert answer.json()["errors"][0]["extensions"] == {"code": "RANGE_NOT_SATISFIABLE", "size": 10240}
    assert ((await shop.row()).covered, await shop.downloads(), await shop.reserved()) == ([], 0, 0)


async def test_if_range_asks_for_all_of_another_file(shop: Shop) -> None:
    url = (await shop.link()).url
    resumed = await shop.get(url, range="bytes=0-9", if_range=f'"{SHA}"')
    assert (resumed.status_code, resumed.content) == (206, CONTENT[:10])
    for other in ('"another"', f'W/"{SHA}"', "Wed, 21 Oct 2015 07:28:00 GMT"):
        async with shop.database.transaction() as connection:
            await connection.execute(update(Download).values(covered=[], completed_at=None))
        answer = await shop.get(url, range="bytes=0-9", if_range=other)
        assert (answer.status_code, answer.content) == (200, CONTENT)


async def test_too_many_pieces(shop: Shop) -> None:
    url = (await shop.link()).url
    async with shop.database.transaction() as connection:
        pieces = [[at, at + 1] for at in range(0, 200, 2)]
        await connection.execute(update(Download).values(covered=pieces))
    answer = await shop.get(url, range="bytes=500-500")
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]) == (
        400,
        {"code": "BAD_USER_INPUT", "field": "range"},
    )
    assert (await shop.row()).covered == pieces
    assert (await shop.get(url, range="bytes=1-1")).status_code == 206
    assert (await shop.get(url)).status_code == 200


@pytest.mark.parametrize("token", ["x", "x" * 96, "%00", "ä" * 96, "x" * 5000])
async def test_a_forged_link_asks_no_database(shop: Shop, token: str) -> None:
    with counted(shop.database) as statements:
        answer = await shop.get(f"http://shop.test/downloads/{token}")
    assert (answer.status_code, statements) == (404, [])
    assert answer.json()["errors"][0]["extensions"] == {"code": "NOT_FOUND"}


async def test_an_expired_link_asks_no_database(shop: Shop) -> None:
    url = (await shop.link()).url
    shop.now = NOW + timedelta(hours=1)
    with counted(shop.database) as statements:
        answer = await shop.get(url)
    assert (answer.status_code, statements) == (410, [])
    assert await shop.downloads() == 0


async def test_a_genuine_link_that_was_never_made(shop: Shop) -> None:
    token = new_link(TOKENS.digest, now=NOW).token
    assert (await shop.get(f"http://shop.test/downloads/{token}")).status_code == 404


async def test_a_licence_revoked_after_the_link(shop: Shop) -> None:
    url = (await shop.link()).url
    async with shop.database.transaction() as connection:
        await connection.execute(update(Licence).values(status="revoked", revoked_at=NOW))
    answer = await shop.get(url)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]) == (403, {"code": "NOT_OWNED"})
    assert (await shop.downloads(), shop.store.given) == (0, 0)


async def test_an_account_that_ended_after_the_link(shop: Shop) -> None:
    url = (await shop.link()).url
    async with shop.database.transaction() as connection:
        await connection.execute(update(User).values(deleted_at=NOW, password_hash=""))
    assert (await shop.get(url)).status_code == 404


async def test_a_full_house(shop: Shop) -> None:
    url = (await shop.link()).url
    shop.slots = 0
    answer = await shop.get(url)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    [error] = answer.json()["errors"]
    assert error["extensions"] == {
        "code": "QUOTA_EXCEEDED",
        "resource": "CONCURRENT_INSTALLATION",
        "used": 0,
        "limit": 0,
        "resetsAt": None,
    }
    row = await shop.row()
    assert (row.covered, row.reservation_id, await shop.downloads()) == ([], None, 0)


async def test_the_store_fails_before_the_first_byte(shop: Shop) -> None:
    url, shop.store.fails_at = (await shop.link()).url, 0
    answer = await shop.get(url)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]) == (
        503,
        {"code": "SERVICE_UNAVAILABLE"},
    )
    assert ((await shop.row()).covered, await shop.downloads(), await shop.reserved()) == ([], 0, 0)
    shop.store.fails_at = None
    assert (await shop.get(url)).content == CONTENT


async def test_the_store_fails_in_the_middle(shop: Shop) -> None:
    url, shop.store.fails_at = (await shop.link()).url, 3_000
    with pytest.raises(StorageError):
        await shop.get(url)
    row = await shop.row()
    assert (row.covered, row.completed_at, row.reservation_id) == ([[0, 3000]], None, None)
    assert (await shop.downloads(), await shop.reserved()) == (0, 0)
    shop.store.fails_at = None
    assert (await shop.get(url, range="bytes=3000-")).content == CONTENT[3000:]
    assert ((await shop.row()).completed_at, await shop.downloads()) == (NOW, 1)


async def test_a_file_shorter_than_the_books_say_is_no_download(shop: Shop) -> None:
    url, shop.store.content = (await shop.link()).url, CONTENT[:5_500]
    await _collect(shop, url, httpx.RemoteProtocolError)
    row = await shop.row()
    assert (row.covered, row.completed_at, await shop.downloads()) == ([[0, 5500]], None, 0)


async def _collect(shop: Shop, url: str, error: type[Exception]) -> None:
    async with _server(shop) as base, httpx.AsyncClient() as client:
        with pytest.raises(error):
            await client.get(url.replace("http://shop.test", base))


class _server:  # noqa: N801 - reads as a function
    """The routes behind a real server on a port of its own."""

    def __init__(self, shop: Shop) -> None:
        app = Starlette(routes=transfers.routes(shop.deps()))
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
        self.server = uvicorn.Server(config)

    async def __aenter__(self) -> str:
        self.task = asyncio.create_task(self.server.serve())
        while not self.server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    async def __aexit__(self, *_: object) -> None:
        self.server.should_exit = True
        await self.task


async def _until(state: Callable[[], Any], wanted: Any) -> None:
    async with asyncio.timeout(10):
        while await state() != wanted:  # noqa: ASYNC110 - a database has no event for it
            await asyncio.sleep(0.02)


async def test_a_client_that_leaves_and_resumes(shop: Shop) -> None:
    url, shop.store.gate = (await shop.link()).url, asyncio.Event()
    async with _server(shop) as base, httpx.AsyncClient() as client:
        there = url.replace("http://shop.test", base)
        async with client.stream("GET", there) as answer:
            received = await anext(answer.aiter_raw())
            assert await shop.reserved() == 1
        await asyncio.sleep(0.1)
        shop.store.gate.set()
        await _until(shop.reserved, 0)
        row = await shop.row()
        assert (row.completed_at, row.reservation_id, await shop.downloads()) == (None, None, 0)
        assert row.covered == [[0, 1000]]
        rest = await client.get(there, headers={"range": f"bytes={len(received)}-"})
        assert received + rest.content == CONTENT
        assert (await shop.downloads(), (await client.get(there)).status_code) == (1, 410)


async def test_the_count_is_there_when_the_client_has_the_end(shop: Shop) -> None:
    url = (await shop.link()).url
    async with _server(shop) as base, httpx.AsyncClient() as client:
        assert (await client.get(url.replace("http://shop.test", base))).content == CONTENT
        assert (await shop.downloads(), await shop.reserved()) == (1, 0)


async def _started(shop: Shop, url: str) -> asyncio.Task[httpx.Response]:
    """A request that has its slot and waits at the gate."""
    held, request = await shop.reserved(), asyncio.create_task(shop.get(url))
    await _until(shop.reserved, held + 1)
    return request


async def test_two_requests_at_one_link(shop: Shop) -> None:
    url, shop.store.gate = (await shop.link()).url, asyncio.Event()
    first = await _started(shop, url)
    second = await shop.get(url)
    assert (second.status_code, second.headers["retry-after"]) == (409, "1")
    assert second.json()["errors"][0]["extensions"] == {"code": "CONFLICT"}
    shop.store.gate.set()
    assert (await first).content == CONTENT
    assert (await shop.downloads(), await shop.reserved()) == (1, 0)


async def test_twenty_requests_at_one_link_are_one_download(shop: Shop) -> None:
    url, shop.slots = (await shop.link()).url, None
    answers = await asyncio.gather(*(shop.get(url) for _ in range(20)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 409, 410}
    assert (await shop.downloads(), await shop.reserved()) == (1, 0)


async def test_as_many_downloads_run_as_the_plan_allows(shop: Shop) -> None:
    urls = [(await shop.link()).url for _ in range(5)]
    shop.store.gate = asyncio.Event()
    requests = [asyncio.create_task(shop.get(url)) for url in urls]
    done, running = await asyncio.wait(requests, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    while len(done) < 3:
        more, running = await asyncio.wait(running, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        done |= more
    assert [task.result().status_code for task in done] == [429, 429, 429]
    assert (await shop.reserved(), len(running)) == (2, 2)
    shop.store.gate.set()
    assert {(await task).status_code for task in running} == {200}
    assert (await shop.downloads(), await shop.reserved()) == (2, 0)


async def test_a_cancelled_request_gives_its_slot_back(shop: Shop) -> None:
    url, shop.store.gate = (await shop.link()).url, asyncio.Event()
    request = await _started(shop, url)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await _until(shop.reserved, 0)
    row = await shop.row()
    assert (row.completed_at, row.reservation_id, await shop.downloads()) == (None, None, 0)
    assert [row.state for row in await rows(shop.database, UsageReservation)] == ["released"]


async def test_cancelling_at_any_moment_leaves_nothing_held(shop: Shop) -> None:
    shop.slots = None
    for delay in range(12):
        request = asyncio.create_task(shop.get((await shop.link()).url))
        await asyncio.sleep(delay / 1000)
        request.cancel()
        await asyncio.wait([request])
    await _until(shop.reserved, 0)
    links = await rows(shop.database, Download)
    assert [row.id for row in links if row.reservation_id is not None] == []
    assert await shop.downloads() == sum(row.completed_at is not None for row in links)


async def test_a_running_download_renews_its_lease(shop: Shop) -> None:
    url, shop.store.gate = (await shop.link()).url, asyncio.Event()
    request = await _started(shop, url)
    shop.now = NOW + timedelta(minutes=2)
    shop.store.gate.set()
    assert (await request).content == CONTENT
    [reservation] = await rows(shop.database, UsageReservation)
    assert (reservation.state, reservation.expires_at) == ("released", NOW + timedelta(minutes=7))


async def test_who_lost_the_lease_changes_nothing(shop: Shop) -> None:
    """As when a process stood still for ten minutes, and the link was taken up by another."""
    url, shop.store.gate, gate = (await shop.link()).url, asyncio.Event(), asyncio.Event()
    stalled = await _started(shop, url)
    shop.now = NOW + timedelta(minutes=10)
    old_store, shop.store = shop.store, Store(gate=gate)
    taken = asyncio.create_task(shop.get(url))
    await _until(lambda: _state(shop, "expired"), 1)
    assert await shop.reserved() == 1
    old_store.gate.set()
    await asyncio.wait([stalled])
    assert (await shop.reserved(), await shop.downloads()) == (1, 0)
    gate.set()
    assert (await taken).content == CONTENT
    assert (await shop.reserved(), await shop.downloads()) == (0, 1)
    assert stalled.exception() is not None or stalled.result().content != CONTENT


async def _state(shop: Shop, state: str) -> int:
    return sum(row.state == state for row in await rows(shop.database, UsageReservation))


async def test_a_stalled_client_is_let_go(shop: Shop) -> None:
    url = (await shop.link()).url
    endpoint = transfers.Downloads(shop.deps(), stall_seconds=0.1)
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 3:
            await asyncio.Event().wait()

    scope = {
        "type": "http",
        "method": "GET",
        "headers": [],
        "path_params": {"token": url.rsplit("/", 1)[1]},
    }
    await endpoint(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", *["http.response.body"] * 2]
    assert ((await shop.row()).covered, await shop.reserved()) == ([[0, 1000]], 0)


async def test_the_keys_of_licences(shop: Shop) -> None:
    answer = await shop.get("http://shop.test/.well-known/revgraph-licence-keys.json")
    [(kid, public_key)] = Ed25519Signer(bytes(32)).public_keys.items()
    assert answer.json() == {"keys": [{"kid": kid, "publicKey": public_key, "algorithm": "Ed25519"}]}
    assert answer.headers["cache-control"] == "public, max-age=300"
