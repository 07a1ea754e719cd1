"""Rate limits: how long must this caller wait?

A sliding window of two counters a subject, in this process or, for several replicas, in Redis. Where Redis
does not answer, this process's own counters decide, and Redis is left alone for a few seconds: an outage
refuses nobody and costs one short wait, not one a request.
"""

import asyncio
import math
import time
from collections.abc import Mapping
from typing import Any

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio.connection import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app import metrics

REDIS_TIMEOUT_SECONDS = 0.25
REDIS_PAUSE_SECONDS = 5.0
SWEEP_SECONDS = 10.0

log = structlog.get_logger(__name__)


class RateLimits:
    """``rates`` by bucket, as "30/minute" or "100 per 5 minutes" (ValueError for others).

    Without ``redis_url`` each process counts for itself.
    """

    def __init__(self, rates: Mapping[str, str], *, redis_url: str = "") -> None:
        self._items = {bucket: parse(rate) for bucket, rate in rates.items()}
        self._own = SlidingWindowCounterRateLimiter(SweptMemory())
        self._pool = _pool(redis_url) if redis_url else None
        self._shared = _in_redis(redis_url, self._pool) if self._pool else None
        self._redis_rests_until = 0.0

    async def hit(self, bucket: str, subject: str, *, cost: int = 1) -> int:
        """Seconds to wait, 0 when admitted; a cost is admitted whole or not at all.

        Raises KeyError for an unknown bucket.
        """
        item = self._items[bucket]
        wait = await self._decide(item, bucket, subject, cost)
        if wait:
            metrics.RATE_LIMITED.labels(bucket).inc()
        return wait

    async def _decide(self, item: RateLimitItem, bucket: str, subject: str, cost: int) -> int:
        if self._shared is not None and time.monotonic() >= self._redis_rests_until:
            try:
                async with asyncio.timeout(REDIS_TIMEOUT_SECONDS):
                    return await _hit(self._shared, item, bucket, subject, cost)
            except (RedisError, OSError, TimeoutError) as error:
                self._redis_rests_until = time.monotonic() + REDIS_PAUSE_SECONDS
                log.warning(
                    "rate_limits_without_redis",
                    error=f"{type(error).__name__}: {error}",
                    seconds=REDIS_PAUSE_SECONDS,
                )
        if self._shared is not None:
            metrics.RATE_LIMITER_FAILURES.inc()
        return await _hit(self._own, item, bucket, subject, cost)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()


class SweptMemory(MemoryStorage):
    """The library's counters without its sweep over all of them after every hit."""

    _swept_at = 0.0

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now = time.time()
        if not 0 <= now - self._swept_at < SWEEP_SECONDS:
            self._swept_at = now
            for old in [each for each, ends in self.expirations.items() if ends <= now]:
                await self.clear(old)
        await self.get(key)
        self.expirations.setdefault(key, now + expiry)
        self.storage[key] += amount
        return self.storage[key]

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """The library's rule at once: as nothing is awaited before the count, no other hit comes between."""
        now = time.time()
        previous_key, current_key = self.sliding_window_keys(key, expiry, now)
        previous = self._count(previous_key, now)
        faded = previous * (1 - (now / expiry) % 1) if previous else 0
        if math.floor(faded + self._count(current_key, now)) + amount > limit:
            return False
        await self.incr(current_key, 2 * expiry, amount=amount)
        return True

    def _count(self, key: str, now: float) -> int:
        return self.storage.get(key, 0) if self.expirations.get(key, 0.0) > now else 0

    async def decr(self, key: str, amount: int = 1) -> int:
        self.storage[key] = max(self.storage[key] - amount, 0)
        return self.storage[key]


def _pool(redis_url: str) -> ConnectionPool:
    """One retry at once, for a connection that went stale; the client's own default retries for seconds."""
    return ConnectionPool.from_url(
        redis_url,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )


def _in_redis(redis_url: str, pool: ConnectionPool) -> SlidingWindowCounterRateLimiter:
    options: dict[str, Any] = {"connection_pool": pool}
    storage = RedisStorage(redis_url, implementation="redispy", key_prefix="revgraph:rates", **options)
    return SlidingWindowCounterRateLimiter(storage)


async def _hit(
    strategy: SlidingWindowCounterRateLimiter, item: RateLimitItem, bucket: str, subject: str, cost: int
) -> int:
    if await strategy.hit(item, bucket, subject, cost=cost):
        return 0
    storage: Any = strategy.storage
    window = await storage.get_sliding_window(item.key_for(bucket, subject), item.get_expiry())
    return seconds_to_wait(*window, limit=item.amount, expiry=item.get_expiry(), cost=cost)


def seconds_to_wait(
    previous: int,
    previous_ttl: float,
    current: int,
    current_ttl: float,
    *,
    limit: int,
    expiry: int,
    cost: int,
) -> int:
    """When the weighted count leaves room for ``cost``: at least 1, a whole window for what never fits.

    Counts ``floor(previous * previous_ttl / expiry) + current``, where the previous window's weight falls
    linearly to 0 at the window's end, and the current window then takes its place.
    """
    room = limit - cost
    if room < 0:
        return expiry
    if room >= current:
        wait = previous_ttl - (room - current + 1) * expiry / max(previous, 1)
    else:
        wait = current_ttl - expiry + max(0.0, expiry - (room + 1) * expiry / current)
    return max(1, math.floor(wait) + 1)  # at the instant itself it is still refused
