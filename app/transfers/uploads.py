"""PUT /uploads/<token>: the bytes of an upload that createUpload announced.

The token is the permission: whoever has the link may send that one file, within the hour. Errors have the
shape that GraphQL clients read: ``{"errors": [{"message", "extensions": {"code"}}]}``.
"""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.context import Deps
from app.domain.errors import Conflict, DomainError, InvalidInput, InvalidToken
from app.ports import StorageError
from app.schema.node import global_id
from app.services import uploads

IDLE_SECONDS = 60.0
_NO_STORE = {"cache-control": "no-store"}

_STATUSES: tuple[tuple[type[DomainError], int], ...] = (
    (uploads.TooManyBytes, 413),
    (InvalidInput, 400),
    (InvalidToken, 404),
    (Conflict, 409),
)


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
            status = next(status for kind, status in _STATUSES if isinstance(error, kind))
            return _refusal(error.message, code=error.code, status=status)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody hears it
        except TimeoutError:
            message = f"Nothing came for {IDLE_SECONDS:.0f} seconds: send the file again."
            return _refusal(message, code="TIMEOUT", status=408)
        except StorageError:
            message = "The file could not be stored: send it again in a while."
            return _refusal(message, code="STORAGE_UNAVAILABLE", status=503)
        return JSONResponse(
            {
                "upload": {
                    "id": global_id("Upload", received.id),
                    "sizeBytes": received.size_bytes,
                    "sha256": received.sha256,
                }
            },
            status_code=201,
            headers=_NO_STORE,
        )

    return [Route("/uploads/{token}", receive, methods=["PUT"])]


def _stated_bytes(request: Request) -> int | None:
    """None for a chunked body, whose length shows at its end."""
    stated = request.headers.get("content-length", "")
    return int(stated[:19]) if stated.isascii() and stated.isdigit() else None


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises TimeoutError where the client falls silent, ClientDisconnect."""
    chunks = request.stream()
    while True:
        async with asyncio.timeout(IDLE_SECONDS):
            chunk = await anext(chunks, None)
        if chunk is None:
            return
        yield chunk


def _refusal(message: str, *, code: str, status: int) -> Response:
    # The rest of the body is not read, so the connection cannot serve another request.
    return JSONResponse(
        {"errors": [{"message": message, "extensions": {"code": code}}]},
        status_code=status,
        headers={**_NO_STORE, "connection": "close"},
    )
