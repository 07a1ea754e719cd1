"""How do answers leave the server?"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from app.engine.serialisation import encode
from app.transport import media_types
from app.transport.refusal import Refusal, describe


def graphql_response(
    payload: Mapping[str, Any] | bytes,
    *,
    media_type: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    common = {"cache-control": "no-store", "vary": "accept, origin"}
    content_type = f"{media_type}; charset=utf-8"
    all_headers = {**common, **(headers or {}), "content-type": content_type}
    body = payload if isinstance(payload, bytes) else encode(payload)
    return Response(body, status_code=status, headers=all_headers)


def refusal_response(
    refusal: Refusal, *, media_type: str = media_types.JSON, status: int | None = None
) -> Response:
    return graphql_response(
        {"errors": refusal.errors},
        media_type=media_type,
        status=refusal.status if status is None else status,
        headers=refusal.headers,
    )


def problem_response(
    message: str,
    *,
    code: str,
    status: int,
    headers: Mapping[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Response:
    """An answer of the middleware, in the shape that GraphQL clients read."""
    payload = {"errors": [describe(message, code=code, facts=facts)]}
    return graphql_response(payload, media_type=media_types.JSON, status=status, headers=headers)
