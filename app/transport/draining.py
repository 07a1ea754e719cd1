"""What does a server answer that is stopping? What it has begun, uvicorn waits for."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from app.transport.responses import problem_response


class Drain:
    """Shared by the middleware and by whoever stops the server."""

    def __init__(self) -> None:
        self.stopping = False

    def stop(self) -> None:
        self.stopping = True


class Draining:
    """Refuses new requests once the drain is stopping; `exempt` are paths that answer until the end."""

    def __init__(self, app: ASGIApp, *, drain: Drain, exempt: Sequence[str] = ()) -> None:
        self.app = app
        self.drain = drain
        self.exempt = frozenset(exempt)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self.exempt or not self.drain.stopping:
            await self.app(scope, receive, send)
            return
        response = problem_response(
            "The server is stopping. Try again.",
            code="SERVICE_UNAVAILABLE",
            status=503,
            headers={"connection": "close", "retry-after": "1"},
        )
        await response(scope, receive, send)
