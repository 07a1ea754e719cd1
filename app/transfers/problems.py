"""How do refusals outside of GraphQL read? In the shape that its clients know, with a fitting status."""

from collections.abc import Mapping

import orjson
from starlette.responses import Response

from app.domain import errors

STATUS: Mapping[type[errors.DomainError], int] = {
    errors.InvalidInput: 400,
    errors.NotOwned: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.InvalidToken: 410,
    errors.QuotaExceeded: 429,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
}
RETRY_AFTER = {409: "1", 429: "5", 503: "5"}
"""Seconds after which the same request may be admitted."""


def problem(error: errors.DomainError) -> Response:
    """400 for what the table does not name."""
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 400)
    headers = {"cache-control": "private, no-store"}
    if status in RETRY_AFTER:
        headers["retry-after"] = RETRY_AFTER[status]
    return json_response(
        {"errors": [{"message": error.message, "extensions": {**error.facts(), "code": error.code}}]},
        status=status,
        headers=headers,
    )


def json_response(content: object, *, status: int, headers: Mapping[str, str]) -> Response:
    return Response(
        orjson.dumps(content), status_code=status, headers=dict(headers), media_type="application/json"
    )
