"""How is a connection closed without an answer?"""

import asyncio

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class Dropped(Exception):
    """Raised where the answer is to be lost on the way."""


class Dropping:
    """The outermost layer: gives every request a `cut`.

    ASGI knows no such thing, so the transport is taken from uvicorn's own `send`, a method of its request
    cycle.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cycle = getattr(send, "__self__", None)
        if scope["type"] == "http" and cycle is not None:
            scope["sandbox.cut"] = cycle.transport.abort
        await self.app(scope, receive, send)


class Cut(Response):
    """Instead of an answer: nothing."""

    async def __call__(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        scope["sandbox.cut"]()
        await asyncio.sleep(0.05)  # the server hears of it, and does not answer on its own any more
