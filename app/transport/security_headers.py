"""What must a browser not do with our answers?"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# Pages and their scripts come from our own files. Editors write style attributes and start blob workers.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; worker-src 'self' blob:; connect-src 'self'; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
PAGE_TYPES = ("text/html", "text/javascript", "application/javascript")


class SecurityHeaders:
    """Sets the headers on every response that does not state its own."""

    def __init__(self, app: ASGIApp, *, https_only: bool = False) -> None:
        self.app = app
        self.https_only = https_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._protect(MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, send_protected if scope["type"] == "http" else send)

    def _protect(self, headers: MutableHeaders) -> None:
        is_page = headers.get("content-type", "").startswith(PAGE_TYPES)
        headers.setdefault("content-security-policy", PAGE_POLICY if is_page else API_POLICY)
        headers.setdefault("x-content-type-options", "nosniff")
        headers.setdefault("x-frame-options", "DENY")
        headers.setdefault("referrer-policy", "no-referrer")
        if self.https_only:
            headers.setdefault("strict-transport-security", "max-age=31536000")
