"""How do events reach their receivers: signed, in which order, how often, and when again after a failure?"""

import asyncio
import hashlib
import hmac
import random
import re
import ssl
import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

import orjson

from sandbox.world import Obj, World

ATTEMPTS = 16
LONGEST_WAIT = 60.0


@dataclass
class Delivery:
    """One event on its way to one endpoint."""

    id: str
    event: str
    type: str
    endpoint: str
    attempts: int = 0
    status: str = "waiting"  # held, waiting, delivered, failed, dropped
    answers: list[int | str] = field(default_factory=list)
    due: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "due": None if self.status != "waiting" else round(self.due, 3)}


class Deliveries:
    """Delivers one after the other, in order. What failed comes again later, without holding up the rest."""

    def __init__(self, world: World, *, retry_base: float = 1.0) -> None:
        self.world = world
        self.retry_base = retry_base
        self.holding = False
        self.dropped_types: list[str] = []
        self.changes = 0
        self.rows: dict[str, Delivery] = {}
        self._waiting: dict[str, Delivery] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._busy = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def take(self) -> None:
        """Put the events of the last transactions on their way."""
        for event in self.world.take_events():
            self.send(event)

    def send(self, event: Obj) -> list[Delivery]:
        made = []
        for endpoint in self.world.all("webhook_endpoint"):
            wanted = any(fnmatchcase(event["type"], pattern) for pattern in endpoint["enabled_events"])
            if endpoint["status"] != "enabled" or not wanted:
                continue
            row = Delivery(self.world.new_id("dlv_", 12), event["id"], event["type"], endpoint["id"])
            lost = any(fnmatchcase(event["type"], pattern) for pattern in self.dropped_types)
            row.status = "dropped" if lost else "held" if self.holding else "waiting"
            self._keep(row)
            made.append(row)
            event["pending_webhooks"] += not lost
        self._wake.set()
        return made

    def _keep(self, row: Delivery) -> None:
        self.rows[row.id] = row
        if row.status == "waiting":
            self._waiting[row.id] = row

    def restore(self, rows: list[dict[str, Any]]) -> None:
        for given in rows:
            self._keep(Delivery(**{**given, "due": 0.0}))

    def forget(self) -> None:
        self.rows.clear()
        self._waiting.clear()
        self.holding, self.dropped_types = False, []

    def held(self) -> list[Delivery]:
        return [row for row in self.rows.values() if row.status == "held"]

    def release(self, order: list[str] | None = None, seed: int | None = None) -> list[Delivery]:
        """Held deliveries go out: all in order, or the named ones in the named order, or shuffled."""
        rows = self.held()
        if order is not None:
            rows = [row for name in order for row in rows if name in (row.id, row.event)]
        if seed is not None:
            random.Random(seed).shuffle(rows)  # noqa: S311 — a repeatable order, no secret
        for row in rows:
            row.status, row.due = "waiting", 0.0
            self.rows.pop(row.id)  # to the end: the order of sending
            self._keep(row)
        self._wake.set()
        return rows

    def drop(self, names: list[str] | None) -> list[Delivery]:
        """Deliveries that will never arrive."""
        gone = [
            row for row in self.rows.values()
            if row.status in ("held", "waiting") and (names is None or row.id in names or row.event in names)
        ]  # fmt: skip
        for row in gone:
            row.status = "dropped"
            self._settle(row)
        return gone

    async def drain(self, timeout: float) -> bool:  # noqa: ASYNC109 — the caller's own patience, over HTTP
        """Wait until nothing waits any more; False when that takes longer."""
        until = time.monotonic() + timeout
        while self._busy or self._waiting:
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.005)
        return True

    async def _run(self) -> None:
        while True:
            row = self._next()
            if row is None:
                await self._rest()
                continue
            self._busy = True
            await self._attempt(row)
            self._busy = False

    def _next(self) -> Delivery | None:
        now = time.monotonic()
        return next((row for row in self._waiting.values() if row.due <= now), None)

    async def _rest(self) -> None:
        waits = [row.due - time.monotonic() for row in self._waiting.values()]
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), max(min(waits, default=3600.0), 0.001))
        except TimeoutError:
            return

    async def _attempt(self, row: Delivery) -> None:
        endpoint, event = (
            self.world.find("webhook_endpoint", row.endpoint),
            self.world.find("event", row.event),
        )
        if endpoint is None or event is None:
            row.status = "dropped"
            self._settle(row)
            return
        row.attempts += 1
        try:
            answer: int | str = await asyncio.wait_for(post(endpoint["url"], event, endpoint["_secret"]), 20)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            answer = f"{type(error).__name__}: {error}"[:200]
        self.changes += 1
        row.answers.append(answer)
        if isinstance(answer, int) and 200 <= answer < 300:
            row.status = "delivered"
        elif row.attempts >= ATTEMPTS:
            row.status = "failed"
        else:
            wait = min(self.retry_base * 2 ** (row.attempts - 1), LONGEST_WAIT)
            row.due = time.monotonic() + wait
        if row.status != "waiting":
            self._settle(row)

    def _settle(self, row: Delivery) -> None:
        self._waiting.pop(row.id, None)
        event = self.world.find("event", row.event)
        if event and event["pending_webhooks"]:
            event["pending_webhooks"] -= 1


def signature(body: bytes, secret: str, at: int) -> str:
    """The Stripe-Signature header: the receiver's clock is the real one, so `at` is real time too."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


async def post(url: str, event: Obj, secret: str) -> int:
    """One request over a connection of its own; the answer's status.

    (No HTTP client is among our run-time needs.)
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    body = orjson.dumps(event, option=orjson.OPT_INDENT_2)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {
        "Host": parts.netloc.rpartition("@")[2], "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Accept": "*/*; q=0.5, application/json",
        "Content-Length": str(len(body)), "Connection": "close",
        "Stripe-Signature": signature(body, secret, int(time.time())),
    }  # fmt: skip
    head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    context = ssl.create_default_context() if secure else None
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=context)
    try:
        writer.write(head.encode() + b"\r\n" + body)
        await writer.drain()
        status = re.match(rb"HTTP/\S+ (\d{3})\b", await reader.readline())
        await reader.read(65536)
        return int(status[1]) if status else 0
    finally:
        writer.close()
