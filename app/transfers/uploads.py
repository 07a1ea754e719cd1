"""PUT /uploads/<token>: the bytes of an upload that createUpload announced.

The token is the permission: whoever has the link may send that one file, within the hour. Errors have the
shape that GraphQL clients read: ``{"errors": [{"message", "extensions": {"code"}}]}``.
"""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from app.context import Deps
from app.domain.errors import DomainError, InvalidInput, Unavailable
from app.ports import StorageError
from app.schema.node import global_id
from app.services import uploads
from app.transfers.problems import json_response, problem

IDLE_SECONDS = 60.0


def routes(deps: Deps) -> list[Route]:
    async def receive(request: Request) -> Response:
        try:
            received = await uploads.receive(
                database=deps.database,
                store=deps.store,
                tokens=deps.tokens,
                token=request.path_params["token"],
                stated_bytes=_stated_bytes(request),
                chunks=_chunks(request),
                clock=deps.clock,
            )
        except DomainError as error:
            return _refusal(error)
        except StorageError:
            return _refusal(Unavailable("storage"))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody hears it
        return _done(received)

    return [Route("/uploads/{token}", receive, methods=["PUT"])]


def _stated_bytes(request: Request) -> int | None:
    """None for a chunked body, whose length shows at its end."""
    stated = request.headers.get("content-length", "")
    return int(stated[:19]) if stated.isascii() and stated.isdigit() else None


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises InvalidInput where the client falls silent, ClientDisconnect."""
    chunks = request.stream()
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise InvalidInput(
                "sizeBytes", f"Nothing came for {IDLE_SECONDS:.0f} seconds: send it again."
            ) from None
        if chunk is None:
            return
        yield chunk


def _refusal(error: DomainError) -> Response:
    response = problem(error)
    if isinstance(error, uploads.TooManyBytes):
        response.status_code = 413
    # The rest of the body is not read, so the connection cannot serve another request.
    response.headers["connection"] = "close"
    return response


def _done(received: uploads.Received) -> Response:
    upload = {
        "id": global_id("Upload", received.id),
        "sizeBytes": received.size_bytes,
        "sha256": received.sha256,
    }
    return json_response({"upload": upload}, status=201, headers={"cache-control": "no-store"})
