"""GET /downloads/<token>: the file of a link, whole or by ranges, once.

The last byte leaves only after the books say that the file was delivered: so nobody has a whole file that is
not counted, and a client that reads the end finds the count raised.
"""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from app.context import Deps
from app.domain import ranges
from app.domain.downloads import MAX_FRAGMENTS, filename
from app.domain.errors import DomainError, InvalidInput, Unavailable
from app.domain.plans import Tier
from app.domain.viewer import Allowance
from app.ports import StorageError
from app.services import deliveries, downloads
from app.services.deliveries import Delivery, LeaseLost
from app.transfers.problems import json_response, problem

STALL_SECONDS = 90.0
"""A client, or a store, that moves nothing for so long has gone: less than a lease without its renewal."""


def routes(deps: Deps) -> list[Route]:
    return [Route("/downloads/{token}", Downloads(deps), methods=["GET", "HEAD"])]


class Downloads:
    """The endpoint as an ASGI application: it watches the connection while it sends."""

    def __init__(self, deps: Deps, *, stall_seconds: float = STALL_SECONDS) -> None:
        self.deps = deps
        self.stall_seconds = stall_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, deps = Request(scope), self.deps
        try:
            link = await downloads.find(
                database=deps.database,
                tokens=deps.tokens,
                token=request.path_params["token"],
                now=deps.clock(),
            )
            part = _part(request, link)
            if isinstance(part, ranges.Unsatisfiable):
                await _unsatisfiable(part)(scope, receive, send)
            elif request.method == "HEAD":
                await send(_start(link, None))
                await send({"type": "http.response.body", "body": b""})
            else:
                await self._deliver(link, part, receive, send)
        except DomainError as error:
            await problem(error)(scope, receive, send)

    async def _deliver(self, link: Row[Any], part: ranges.Slice | None, receive: Receive, send: Send) -> None:
        """DomainErrors are raised before the first byte is sent, and never after."""
        start, end = (part.start, part.stop) if part else (0, link.size_bytes)
        chunks = self.deps.store.get(link.storage_key, start=start, end=end)
        allowance = Allowance(link.user_id, self.deps.plans[Tier(link.tier)].limits, link.anchor_at)
        gone = asyncio.create_task(_gone(receive))
        try:
            async with deliveries.running(
                database=self.deps.database,
                allowance=allowance,
                link=link,
                start=start,
                end=end,
                clock=self.deps.clock,
            ) as delivery:
                first = await self._first(chunks)
                await send(_start(link, part))
                with suppress(LeaseLost, TimeoutError):  # the connection closes short of its stated length
                    await self._stream(delivery, first, chunks, send, gone)
        finally:
            gone.cancel()
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

    async def _first(self, chunks: AsyncIterator[bytes]) -> bytes:
        try:
            async with asyncio.timeout(self.stall_seconds):
                return await anext(chunks, b"")
        except (StorageError, TimeoutError):
            raise Unavailable("storage") from None

    async def _stream(
        self,
        delivery: Delivery,
        first: bytes,
        chunks: AsyncIterator[bytes],
        send: Send,
        gone: asyncio.Task[None],
    ) -> None:
        chunk: bytes | None = first
        while chunk is not None:
            chunk = chunk[: delivery.end - delivery.stop]
            last = len(chunk) == delivery.end - delivery.stop
            await self._send(send, chunk[:-1] if last else chunk, more=True)
            if gone.done():
                return
            delivery.stop += max(0, len(chunk) - 1) if last else len(chunk)
            if last:
                await deliveries.complete(
                    database=self.deps.database, delivery=delivery, now=self.deps.clock()
                )
                await self._send(send, chunk[-1:], more=False)
                return
            await deliveries.renew(database=self.deps.database, delivery=delivery, now=self.deps.clock())
            async with asyncio.timeout(self.stall_seconds):
                chunk = await anext(chunks, None)

    async def _send(self, send: Send, body: bytes, *, more: bool) -> None:
        async with asyncio.timeout(self.stall_seconds):
            await send({"type": "http.response.body", "body": body, "more_body": more})


async def _gone(receive: Receive) -> None:
    """Ends when the client has left: servers say so here, and take what is sent to nobody without a word."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _part(request: Request, link: Row[Any]) -> ranges.Slice | ranges.Unsatisfiable | None:
    """Which bytes; None: all of them. Raises InvalidInput where the pieces would become too many."""
    whole_is_meant = request.headers.get("if-range", _etag(link)) != _etag(link)
    if request.method == "HEAD" or whole_is_meant:
        return None
    part = ranges.parse_range(request.headers.get("range"), link.size_bytes)
    if isinstance(part, ranges.Slice):
        covered = ranges.merge([tuple(each) for each in link.covered], (part.start, part.stop))
        if len(covered) > MAX_FRAGMENTS:
            raise InvalidInput("range", f"Fetch the file in at most {MAX_FRAGMENTS} separate pieces.")
    return part


def _unsatisfiable(part: ranges.Unsatisfiable) -> Response:
    message = f"The file has {part.size} bytes: the range lies outside of it."
    error = {"message": message, "extensions": {"code": "RANGE_NOT_SATISFIABLE", "size": part.size}}
    headers = {"content-range": part.content_range, "cache-control": "private, no-store"}
    return json_response({"errors": [error]}, status=416, headers=headers)


def _start(link: Row[Any], part: ranges.Slice | None) -> Message:
    name = filename(link.path)
    plain = "".join(char if char.isascii() and (char.isalnum() or char in " ._-") else "_" for char in name)
    headers = {
        "accept-ranges": "bytes",
        "cache-control": "private, no-store",
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "content-length": str(part.length if part else link.size_bytes),
        "content-type": link.media_type,
        "etag": _etag(link),
        "repr-digest": f"sha-256=:{b64encode(bytes.fromhex(link.sha256)).decode()}:",
        "x-checksum-sha256": link.sha256,
        "x-content-type-options": "nosniff",
    }
    if part:
        headers["content-range"] = part.content_range(link.size_bytes)
    return {
        "type": "http.response.start",
        "status": 206 if part else 200,
        "headers": [(key.encode(), value.encode("latin-1")) for key, value in headers.items()],
    }


def _etag(link: Row[Any]) -> str:
    return f'"{link.sha256}"'
