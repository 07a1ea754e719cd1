"""What does a person see who opens the GraphQL address in a browser?"""

from pathlib import Path

from starlette.responses import Response

from app.transport.security_headers import PAGE_POLICY


class IdePage:
    """The GraphiQL page, which loads everything else from our own static files."""

    def __init__(self, index: Path) -> None:
        self._html = index.read_bytes()

    def response(self) -> Response:
        headers = {
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": PAGE_POLICY,
            "cache-control": "no-cache",
            "vary": "accept",
        }
        return Response(self._html, headers=headers)
