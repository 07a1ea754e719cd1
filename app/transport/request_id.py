"""Which request does a line of the log, an answer or a complaint belong to?"""

import os
import re

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.transport.responses import problem_response

HEADER = b"x-request-id"
SANE = re.compile(rb"[A-Za-z0-9._-]{1,64}")

log = structlog.get_logger(__name__)


class RequestId:
    """Takes the caller's id when it is sane, else makes one: for the log, the scope and the response.

    What nothing else caught ends here: logged, and answered with 500 and the id.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        request_id = _accept(dict(scope["headers"]).get(HEADER)) or os.urandom(16).hex()
        scope.setdefault("state", {})["request_id"] = request_id
        bound = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._run(scope, receive, send, request_id)
        finally:
            structlog.contextvars.reset_contextvars(**bound)

    async def _run(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        started = False

        async def send_marked(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                others = [each for each in message.get("headers", ()) if each[0] != HEADER]
                message["headers"] = [*others, (HEADER, request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_marked)
        except Exception:
            log.exception("request_failed", method=scope.get("method"), path=scope["path"])
            if started or scope["type"] != "http":
                raise
            response = problem_response(
                f"Something went wrong on our side. Quote the request id {request_id}.",
                code="INTERNAL_SERVER_ERROR",
                status=500,
                facts={"requestId": request_id},
            )
            await response(scope, receive, send_marked)


def _accept(given: bytes | None) -> str | None:
    return given.decode() if given is not None and SANE.fullmatch(given) else None
