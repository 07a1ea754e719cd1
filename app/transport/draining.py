"""How does the server stop without breaking off what it has begun?"""

import asyncio
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from app.transport.responses import problem_response


class Drain:
    """Shared by the middleware, which counts requests, and by whoever stops the server."""

    def __init__(self) -> None:
        self.stopping = False
        self.in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def stop(self) -> None:
        self.stopping = True

    async def wait_until_idle(self, *, seconds: float) -> bool:
        """False when requests were still in flight after that time."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def enter(self) -> None:
        self.in_flight += 1
        self._idle.clear()

    def leave(self) -> None:
        self.in_flight -= 1
        if self.in_flight == 0:
            self._idle.set()


class Draining:
    """Refuses new requests once the drain is stopping; `exempt` are paths that answer until the end."""

    def __init__(self, app: ASGIApp, *, drain: Drain, exempt: Sequence[str] = ()) -> None:
        self.app = app
        self.drain = drain
        self.exempt = frozenset(exempt)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self.exempt:
            await self.app(scope, receive, send)
        elif self.drain.stopping:
            response = problem_response(
                "The server is stopping. Try again.",
                code="SERVICE_UNAVAILABLE",
                status=503,
                headers={"connection": "close", "retry-after": "1"},
            )
            await response(scope, receive, send)
        else:
            await self._count(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.drain.enter()
        try:
            await self.app(scope, receive, send)
        finally:
            self.drain.leave()
