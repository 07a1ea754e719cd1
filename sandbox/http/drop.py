"""How is a connection closed without an answer?"""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send


class Dropped(Exception):
    """Raised where the answer is to be lost on the way."""


class Dropping:
    """The outermost layer: turns Dropped into a connection that is cut off.

    ASGI knows no such thing, so the transport is taken from uvicorn's own `send`, a method of its
    request cycle.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Dropped:
            cycle = getattr(send, "__self__", None)
            if cycle is None:
                raise
            cycle.transport.abort()
            await asyncio.sleep(0.05)  # the cycle hears of it, and does not answer on its own any more
