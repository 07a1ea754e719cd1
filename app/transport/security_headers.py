"""What must a browser not do with our answers?"""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# Pages and their scripts come from our own files. Editors write style attributes and start blob workers.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; worker-src 'self' blob:; connect-src 'self'; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
PAGE_TYPES = (b"text/html", b"text/javascript", b"application/javascript")


class SecurityHeaders:
    """Sets the headers on every response that does not state its own."""

    def __init__(self, app: ASGIApp, *, https_only: bool = False) -> None:
        self.app = app
        common = {
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "no-referrer",
            **({"strict-transport-security": "max-age=31536000"} if https_only else {}),
        }
        self.of_page = _raw({"content-security-policy": PAGE_POLICY, **common})
        self.of_data = _raw({"content-security-policy": API_POLICY, **common})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._protect(message)
            await send(message)

        await self.app(scope, receive, send_protected if scope["type"] == "http" else send)

    def _protect(self, message: Message) -> None:
        headers = message["headers"] = list(message.get("headers", ()))
        stated = dict(headers)
        is_page = stated.get(b"content-type", b"").startswith(PAGE_TYPES)
        headers += [each for each in (self.of_page if is_page else self.of_data) if each[0] not in stated]


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]
