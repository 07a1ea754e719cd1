"""How does an HTTP request become a GraphQL response?

After the GraphQL over HTTP specification: https://graphql.github.io/graphql-over-http/draft/
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Generic

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry import Schema

from app.engine.serialisation import to_bytes
from app.transport import media_types
from app.transport.cross_site import is_cross_site
from app.transport.hooks import Context, Hooks
from app.transport.ide import IdePage
from app.transport.operation_run import MethodNotAllowed, OperationRun, Options, Runner
from app.transport.parameters import read_parameters
from app.transport.refusal import Refusal
from app.transport.responses import graphql_response, problem_response, refusal_response


class GraphQLHTTP(Generic[Context]):
    """An ASGI application for one path.

    `ide` is the index page for browsers, None for none; pages of `allowed_origins` may ask as our own do.
    """

    def __init__(
        self,
        schema: Schema,
        hooks: Hooks[Context],
        *,
        options: Options,
        allowed_origins: Collection[str] = (),
        ide: Path | None = None,
    ) -> None:
        self.hooks = hooks
        self.runner = Runner(schema, hooks, options)
        self.allowed_origins = frozenset(allowed_origins)
        self.ide = IdePage(ide) if ide else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.respond(Request(scope, receive))
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        if request.method not in ("GET", "POST"):
            allow = {"allow": "GET, POST"}
            return problem_response("Use GET or POST.", code="METHOD_NOT_ALLOWED", status=405, headers=allow)
        accept = ", ".join(request.headers.getlist("accept")) or None
        if self.ide and _opens_page(request, accept):
            return self.ide.response()
        media_type = media_types.choose(accept)
        if media_type is None:
            message = f"Accept {media_types.GRAPHQL} or {media_types.JSON}."
            return problem_response(message, code="NOT_ACCEPTABLE", status=406)
        try:
            return await self._answer(request, media_type)
        except Refusal as refusal:
            return refusal_response(refusal, media_type=media_type)

    async def _answer(self, request: Request, media_type: str) -> Response:
        self._require_same_site(request)
        parameters = await read_parameters(request)
        context = await self.hooks.get_context(request)
        run = OperationRun(self.runner, context, request)
        try:
            payload, status = await run.payload(parameters)
        except MethodNotAllowed:
            raise
        except Refusal as refusal:
            payload, status = {"errors": refusal.errors}, refusal.status
            run.extras.headers.update(refusal.headers)
        finally:
            await self.hooks.finish(context, run.operation, run.result, run.extras)
        if media_type == media_types.JSON:
            # The request was well-formed; clients of this media type take others for a broken network.
            status = 200
        body = await to_bytes(_extended(payload, run.extras.extensions))
        return graphql_response(body, media_type=media_type, status=status, headers=run.extras.headers)

    def _require_same_site(self, request: Request) -> None:
        if is_cross_site(
            request.headers, scheme=request.scope["scheme"], allowed_origins=self.allowed_origins
        ):
            message = "Pages of this origin may not call this server."
            raise Refusal(message, code="CROSS_SITE_REQUEST", status=403)


def _opens_page(request: Request, accept: str | None) -> bool:
    asks = request.method == "GET" and "query" not in request.query_params
    return asks and media_types.prefers_html(accept)


def _extended(payload: dict[str, Any], extensions: dict[str, Any]) -> dict[str, Any]:
    if not extensions:
        return payload
    return {**payload, "extensions": {**payload.get("extensions", {}), **extensions}}
