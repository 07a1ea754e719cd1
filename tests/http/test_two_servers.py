"""Two real server processes on one PostgreSQL count one account's calls over HTTP, and one of them is killed."""

import asyncio
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.db.database import Database
from app.db.models import OutboxFact, UsageCounter, UsageEvent, UsageReservation
from app.domain.outbox import Topic
from app.services import usage
from tests.support.clients import PASSWORD
from tests.support.commands import SECRET, Revgraph, Running, serving

REGISTER = "mutation($input: RegisterInput!) { register(input: $input) { accessToken errors { code } } }"
LIMIT = 1200
FILL = "{ " + " ".join(f"p{n}: plans {{ name }}" for n in range(20)) + " }"


@pytest.fixture
def dialect() -> str:
    """Several servers share a database over the network; on SQLite they share a machine."""
    return "postgresql"


@pytest.fixture
def revgraph(tmp_path: Path, database_url: str) -> Revgraph:
    plans = tmp_path / "plans.toml"
    plans.write_text(f"[free.limits]\napi_call = {LIMIT}\n")
    return Revgraph(
        tmp_path,
        {
            "JWT_SECRET": SECRET,
            "DATABASE_URL": database_url,
            "PLANS_FILE": str(plans),
            "RATE_LIMIT_REQUESTS": "1000000/minute",
            "LOG_LEVEL": "WARNING",
        },
    )


class Caller:
    """Sends with one account's token, and remembers how each request ended."""

    def __init__(self, token: str) -> None:
        limits = httpx.Limits(max_connections=32)
        headers = {"authorization": f"Bearer {token}"}
        self.http = httpx.AsyncClient(timeout=60, limits=limits, headers=headers)
        self.admitted = self.refused = self.lost = 0

    async def send(self, server: Running, document: str = "{ plans { name } }") -> None:
        try:
            response = await self.http.post(f"{server.url}/graphql", json={"query": document})
        except httpx.TransportError:
            self.lost += 1
            return
        body: dict[str, Any] = response.json()
        if "errors" not in body:
            self.admitted += len(body["data"])
        else:
            assert body["errors"][0]["extensions"]["code"] == "QUOTA_EXCEEDED"
            assert response.status_code in (200, 429)
            self.refused += 1

    async def send_many(self, servers: list[Running], times: int) -> None:
        await asyncio.gather(*(self.send(servers[n % len(servers)]) for n in range(times)))


async def register(server: Running) -> Caller:
    given = {"email": "busy@example.test", "username": "busy", "password": PASSWORD}
    async with httpx.AsyncClient(timeout=60) as http:
        answer = await http.post(
            f"{server.url}/graphql", json={"query": REGISTER, "variables": {"input": given}}
        )
    made = answer.json()["data"]["register"]
    assert made["errors"] == []
    return Caller(made["accessToken"])


async def sums(database: Database) -> tuple[int, int, int]:
    """Calls by the counter, reserved ones, and calls by the events."""
    async with database.read() as connection:
        counter = (await connection.execute(select(UsageCounter.used, UsageCounter.reserved))).one()
        events = (
            await connection.execute(select(UsageEvent.amount).where(UsageEvent.resource == "api_call"))
        ).scalars()
        return counter.used, counter.reserved, sum(events)


async def blocks(database: Database) -> int:
    async with database.read() as connection:
        return len((await connection.execute(select(UsageReservation.id))).all())


async def told(database: Database) -> list[str]:
    topics = (Topic.QUOTA_NEAR, Topic.QUOTA_REACHED)
    statement = select(OutboxFact.topic).where(OutboxFact.topic.in_(topics)).order_by(OutboxFact.topic)
    async with database.read() as connection:
        return list((await connection.execute(statement)).scalars())


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_of_a_thousand_calls_at_once_exactly_those_left_are_admitted(
    revgraph: Revgraph, database: Database
) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(revgraph, "--no-worker")) for _ in range(2)]
        caller = await register(servers[0])
        for n in range(30):  # 600 of 1,200, which makes the account a busy one at both
            await caller.send(servers[n % 2], FILL)
        await caller.send_many(servers, 1000)
        assert (caller.admitted, caller.refused, caller.lost) == (LIMIT, 400, 0)
        await caller.http.aclose()
        assert [server.stop() for server in servers] == [0, 0]
    assert await sums(database) == (LIMIT, 0, LIMIT)
    assert await told(database) == [Topic.QUOTA_NEAR, Topic.QUOTA_REACHED]
    assert await usage.drift(database=database) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_killed_server_gives_no_call_away_and_loses_none(
    revgraph: Revgraph, database: Database
) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(revgraph, "--no-worker")) for _ in range(2)]
        caller = await register(servers[0])
        for n in range(20):  # 400 of 1,200
            await caller.send(servers[n % 2], FILL)
        sending = asyncio.create_task(caller.send_many(servers, 250))
        while caller.admitted < 450 or not await blocks(database):
            assert not sending.done(), "no block was ever held"
            await asyncio.sleep(0.01)
        assert servers[0].stop(signal.SIGKILL) == -signal.SIGKILL
        await sending
        again = stack.enter_context(serving(revgraph, "--no-worker"))
        for n in range(LIMIT // 20):
            await caller.send([again, servers[1]][n % 2], FILL)
        await caller.send_many([again, servers[1]], 60)
        await caller.http.aclose()
        assert [server.stop() for server in (again, servers[1])] == [0, 0]
    used, reserved, events = await sums(database)
    assert (used, reserved, events) == (LIMIT, 0, LIMIT)
    assert LIMIT - caller.lost <= caller.admitted <= LIMIT
    assert await told(database) == [Topic.QUOTA_NEAR, Topic.QUOTA_REACHED]
    assert await usage.drift(database=database) == []
