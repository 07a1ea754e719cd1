"""Rate limits: exact for a subject, whole for a cost, and no outage of Redis refuses anybody."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from app import metrics
from app.gateways import rate_limits
from app.gateways.rate_limits import RateLimits, SweptMemory, seconds_to_wait
from tests.support.servers.shared import free_port

Opened = Callable[..., RateLimits]


@pytest.fixture(params=["memory", "redis"])
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[Opened]:
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    made: list[RateLimits] = []

    def build(**rates: str) -> RateLimits:
        made.append(RateLimits(rates, redis_url=url))
        return made[-1]

    yield build
    for each in made:
        await each.close()


@pytest.fixture
def somebody() -> str:
    return uuid4().hex


def counted(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(f"revgraph_{name}_total", labels) or 0.0


async def test_what_is_beyond_the_rate_must_wait(opened: Opened, somebody: str) -> None:
    limits, before = opened(sign_in="5/hour"), counted("rate_limited", bucket="sign_in")
    waits = [await limits.hit("sign_in", somebody) for _ in range(7)]
    assert waits[:5] == [0] * 5
    assert all(0 < wait <= 3600 * 2 for wait in waits[5:])
    assert await limits.hit("sign_in", f"{somebody}-2") == 0
    assert counted("rate_limited", bucket="sign_in") == before + 2


async def test_a_cost_is_admitted_whole_or_not_at_all(opened: Opened, somebody: str) -> None:
    limits = opened(requests="10/hour")
    assert await limits.hit("requests", somebody, cost=8) == 0
    assert await limits.hit("requests", somebody, cost=3) > 0
    assert await limits.hit("requests", somebody, cost=2) == 0
    assert await limits.hit("requests", somebody) > 0
    assert await limits.hit("requests", f"{somebody}-2", cost=11) == 3600


async def test_at_once_exactly_the_rate_is_admitted(
    opened: Opened, somebody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Sixty connections at once may take a busy machine longer than a request would wait for Redis.
    monkeypatch.setattr(rate_limits, "REDIS_TIMEOUT_SECONDS", 30.0)
    limits = opened(requests="100/hour")
    waits = await asyncio.gather(*(limits.hit("requests", somebody, cost=3) for _ in range(60)))
    assert waits.count(0) == 33


async def test_after_the_wait_it_is_admitted(opened: Opened, somebody: str) -> None:
    limits = opened(requests="2/second")
    wait = max([await limits.hit("requests", somebody) for _ in range(5)])
    assert wait in (1, 2)
    await asyncio.sleep(wait)
    assert await limits.hit("requests", somebody) == 0


async def test_buckets_are_apart_and_unknown_ones_an_error(opened: Opened, somebody: str) -> None:
    limits = opened(sign_in="1/hour", requests="2/hour")
    assert await limits.hit("sign_in", somebody) == 0
    assert await limits.hit("requests", somebody) == 0
    with pytest.raises(KeyError):
        await limits.hit("downloads", somebody)


async def test_replicas_share_what_is_counted_in_redis(redis_url: str, somebody: str) -> None:
    replicas = [RateLimits({"sign_in": "3/hour"}, redis_url=redis_url) for _ in range(2)]
    waits = [await replica.hit("sign_in", somebody) for replica in replicas * 2]
    assert [wait == 0 for wait in waits] == [True, True, True, False]
    for replica in replicas:
        await replica.close()


async def test_without_redis_this_process_decides_and_says_so_once() -> None:
    limits = RateLimits({"sign_in": "2/hour"}, redis_url=f"redis://:secret@127.0.0.1:{free_port()}/0")
    before = counted("rate_limiter_failures")
    with capture_logs() as logs:
        waits = [await limits.hit("sign_in", "a") for _ in range(3)]
    assert [wait == 0 for wait in waits] == [True, True, False]
    assert [(line["event"], line["log_level"]) for line in logs] == [("rate_limits_without_redis", "warning")]
    assert "secret" not in str(logs)
    assert counted("rate_limiter_failures") == before + 3
    await limits.close()


async def test_a_silent_redis_costs_one_short_wait() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    limits = RateLimits({"sign_in": "9/hour"}, redis_url=f"redis://127.0.0.1:{port}/0")
    assert await timed(limits.hit("sign_in", "a")) < 1
    assert await timed(limits.hit("sign_in", "a")) < 0.1
    await limits.close()
    server.close()


async def timed(hit: Awaitable[int]) -> float:
    start = time.perf_counter()
    assert await hit == 0
    return time.perf_counter() - start


@pytest.mark.parametrize("rate", ["", "30", "thirty/minute", "5/fortnight"])
def test_a_rate_that_cannot_be_read_is_an_error(rate: str) -> None:
    with pytest.raises(ValueError, match=r"parse|granularity"):
        RateLimits({"sign_in": rate})


@pytest.mark.parametrize(
    ("window", "cost", "wait"),
    [
        ((0, 0.0, 10, 90.0), 11, 60),  # never fits: a whole window
        ((10, 60.0, 0, 0.0), 1, 1),  # the last minute's 10 count 9 at once: they are rounded down
        ((10, 30.0, 5, 90.0), 3, 13),  # 5 of the last minute must fade to 2
        ((0, 0.0, 10, 90.0), 1, 31),  # the rest of this minute, after which they fade
    ],
)
def test_the_wait_is_until_the_weighted_count_leaves_room(window: Any, cost: int, wait: int) -> None:
    assert seconds_to_wait(*window, limit=10, expiry=60, cost=cost) == wait


async def test_memory_forgets_who_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    memory, now = SweptMemory(), time.time()
    for n in range(100):
        await memory.incr(f"old-{n}", 5)
    monkeypatch.setattr(time, "time", lambda: now + 60)
    await memory.incr("new", 5)
    assert list(memory.storage) == ["new"]
    assert list(memory.expirations) == ["new"]


async def test_the_window_before_fades(monkeypatch: pytest.MonkeyPatch) -> None:
    limits, at = RateLimits({"requests": "10/minute"}), 6_000.0
    monkeypatch.setattr(time, "time", lambda: at)
    assert [await limits.hit("requests", "one") for _ in range(11)][9:] == [0, 61]
    at = 6_090.0  # half of the next window: five of the ten still count
    waits = [await limits.hit("requests", "one") for _ in range(6)]
    assert waits[:5] == [0] * 5
    assert waits[5] > 0
    at = 6_240.0
    assert await limits.hit("requests", "one", cost=10) == 0
