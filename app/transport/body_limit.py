"""How much will the server read of one request?"""

from collections.abc import Sequence

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.transport.responses import problem_response


class _TooLarge(Exception):
    pass


class BodyLimit:
    """Refuses larger bodies with 413: at once by their stated length, else when that much has arrived."""

    def __init__(self, app: ASGIApp, *, max_bytes: int = 1_000_000, exempt: Sequence[str] = ()) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.exempt = tuple(exempt)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self.exempt):
            await self.app(scope, receive, send)
        elif self._states_too_much(dict(scope["headers"]).get(b"content-length", b"")):
            await self._refusal()(scope, receive, send)
        else:
            await self._pass_on(scope, receive, send)

    def _states_too_much(self, stated: bytes) -> bool:
        # Compared by the number of digits first, as a length of 5,000 digits is no integer to Python.
        return stated.isdigit() and (len(stated) > 15 or int(stated) > self.max_bytes)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        received, started = 0, False

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise _TooLarge
            return message

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive_counted, send_noted)
        except _TooLarge:
            if started:
                raise
            await self._refusal()(scope, receive, send)

    def _refusal(self) -> Response:
        # The rest of the body is not read, so the connection cannot serve another request.
        return problem_response(
            f"The body is larger than {self.max_bytes} bytes.",
            code="PAYLOAD_TOO_LARGE",
            status=413,
            headers={"connection": "close"},
            facts={"name": "body", "limit": self.max_bytes},
        )
