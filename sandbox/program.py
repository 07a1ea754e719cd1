"""What makes up the running stand-in, and which routes does it serve?"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from sandbox import snapshot
from sandbox.clock import advance
from sandbox.faults import Faults
from sandbox.http import api, control, deliveries, pages
from sandbox.http.idempotency import Keys
from sandbox.objects.events import new_endpoint
from sandbox.objects.registry import TIMERS
from sandbox.webhooks import Deliveries
from sandbox.world import World

log = logging.getLogger("sandbox")
METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH"]


@dataclass
class Sandbox:
    """The world and what stands around it."""

    world: World
    deliveries: Deliveries
    keys: Keys = field(default_factory=Keys)
    faults: Faults = field(default_factory=Faults)
    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=1000))
    state: Path | None = None
    saved: tuple[int, int] = (0, 0)

    def tick(self) -> None:
        """Let what fell due happen, and put its events on their way."""
        advance(self.world, self.world.now(), TIMERS)
        self.deliveries.take()

    def save(self) -> None:
        changes = (self.world.changes, self.deliveries.changes)
        if self.state and changes != self.saved:
            snapshot.save(self.state, self.world, self.keys, self.deliveries)
            self.saved = changes

    def reset(self, now: int | None) -> None:
        """As after a start; only the endpoints stay, and know their secrets."""
        self.world.forget(kept="webhook_endpoint")
        self.world.clock.restart(now)
        self.deliveries.forget()
        self.keys.clear()
        self.faults.rows.clear()
        self.requests.clear()

    def receive_at(self, url: str, secret: str) -> None:
        """An endpoint for every event; one that the saved state has already gets the secret of now."""
        with self.world.transaction():
            for row in self.world.all("webhook_endpoint"):
                if row["url"] == url:
                    self.world.change(row, _secret=secret, _given=True)
                    return
            self.world.change(new_endpoint(self.world, url, secret, ["*"]), _given=True)

    def receive_only_at(self, urls: list[str], secret: str) -> None:
        """Those that an earlier start gave are gone: nobody may listen there now, or somebody else."""
        with self.world.transaction():
            for row in self.world.all("webhook_endpoint"):
                if row.get("_given") and row["url"] not in urls:
                    self.world.remove(row)
        for url in urls:
            self.receive_at(url, secret)


def create_app(sandbox: Sandbox) -> Starlette:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        sandbox.deliveries.start()
        ticking = asyncio.create_task(tick_for_ever(sandbox))
        yield
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
        await sandbox.deliveries.stop()
        sandbox.save()

    app = Starlette(
        lifespan=lifespan,
        routes=[
            Route("/v1/{path:path}", api.endpoint, methods=METHODS),
            *control.ROUTES,
            *deliveries.ROUTES,
            *pages.ROUTES,
        ],
    )
    app.state.sandbox = sandbox
    return app


async def tick_for_ever(sandbox: Sandbox) -> None:
    while True:
        await asyncio.sleep(1)
        try:
            sandbox.tick()
            sandbox.save()
        except Exception:  # what fell due stays due, and its failure is in the log
            log.exception("what fell due could not happen")
