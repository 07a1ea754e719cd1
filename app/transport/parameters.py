"""What does an HTTP request ask of GraphQL?"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.requests import ClientDisconnect, Request

from app.engine.limits import LimitExceeded
from app.transport import media_types
from app.transport.json_text import MalformedJson, decode
from app.transport.refusal import Refusal

NAMES = ("query", "operationName", "variables", "extensions")


class Parameters(NamedTuple):
    query: str
    operation_name: str | None
    variables: dict[str, Any]
    extensions: dict[str, Any]


async def read_parameters(request: Request) -> Parameters:
    """Raises Refusal when the request is not well-formed."""
    if request.method == "GET":
        return _check(_from_url(request))
    return _check(await _from_body(request))


def _from_url(request: Request) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in NAMES:
        values = request.query_params.getlist(name)
        if len(values) > 1:
            raise _bad(f"The parameter {name} is given {len(values)} times.")
        if values and values[0]:
            is_json = name in ("variables", "extensions")
            given[name] = _decode(values[0].encode("utf-8", "surrogatepass"), name) if is_json else values[0]
    return given


async def _from_body(request: Request) -> dict[str, Any]:
    _require_json(request)
    try:
        body = await request.body()
    except ClientDisconnect:
        raise _bad("The body ended early.") from None
    given = _decode(body, "body") if body else None
    if isinstance(given, list):
        raise Refusal("Send one operation a request.", code="BATCHING_NOT_SUPPORTED")
    if not isinstance(given, dict):
        raise _bad("The body has to be a JSON object with a query.")
    return given


def _require_json(request: Request) -> None:
    headers = request.headers
    if not media_types.is_json(headers.get("content-type", "")):
        message = "Send the operation as application/json in UTF-8."
        raise Refusal(
            message, code="UNSUPPORTED_MEDIA_TYPE", status=415, headers={"accept": media_types.JSON}
        )
    if headers.get("content-encoding", "identity").lower() != "identity":
        message = "Send the body without a content encoding."
        raise Refusal(
            message, code="UNSUPPORTED_MEDIA_TYPE", status=415, headers={"accept-encoding": "identity"}
        )


def _decode(raw: bytes, where: str) -> Any:
    try:
        return decode(raw)
    except LimitExceeded as error:
        raise Refusal.of_limit(error) from None
    except MalformedJson as error:
        raise _bad(f"The {where} cannot be read. {error}") from None


def _check(given: Mapping[str, Any]) -> Parameters:
    query = given.get("query")
    if not isinstance(query, str) or not query.strip():
        raise _bad("The parameter query has to be a string that holds a GraphQL document.")
    name = _typed(given, "operationName", str, "a string")
    variables = _typed(given, "variables", dict, "an object")
    extensions = _typed(given, "extensions", dict, "an object")
    return Parameters(query, name or None, variables or {}, extensions or {})


def _typed(given: Mapping[str, Any], name: str, expected: type, words: str) -> Any:
    value = given.get(name)
    if value is not None and not isinstance(value, expected):
        raise _bad(f"The parameter {name} has to be {words} or null.")
    return value


def _bad(message: str) -> Refusal:
    return Refusal(message, code="BAD_REQUEST")
