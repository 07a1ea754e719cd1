"""Which requests came in, and how did they end? One line each."""

from time import perf_counter

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from app.transport.outcomes import Outcome
from app.transport.route_names import route_of

log = structlog.get_logger("access")


class AccessLog:
    """Stands inside of RequestId, which binds the id. No query: it holds people's documents and tokens."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        outcome, begun, failed = Outcome(send), perf_counter(), True
        try:
            await self.app(scope, receive, outcome.send)
            failed = False
        finally:
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                route=route_of(scope),
                status=outcome.final(failed=failed),
                bytes=outcome.sent_bytes,
                duration_ms=round((perf_counter() - begun) * 1000, 2),
                **_who(scope),
            )


def _who(scope: Scope) -> dict[str, str]:
    """``viewer`` is the account's id, where somebody authenticated."""
    client, viewer = scope.get("client"), scope.get("state", {}).get("viewer_id")
    return {
        **({"client": client[0]} if client else {}),
        **({"viewer": str(viewer)} if viewer is not None else {}),
    }
