"""What stands between the network and the routes, from the outside in?"""

from collections.abc import Sequence

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from app.transport.body_limit import BodyLimit
from app.transport.draining import Drain, Draining
from app.transport.request_id import RequestId
from app.transport.security_headers import SecurityHeaders

ALLOWED_HEADERS = ("authorization", "content-type", "x-api-key", "x-request-id")
EXPOSED_HEADERS = (
    "retry-after",
    "x-quota-limit",
    "x-quota-remaining",
    "x-quota-resets-at",
    "x-request-id",
)


def standard_middleware(
    *,
    drain: Drain,
    allowed_origins: Sequence[str] = (),
    max_body_bytes: int = 1_000_000,
    unlimited_paths: Sequence[str] = ("/uploads/",),
    undrained_paths: Sequence[str] = (),
    https_only: bool = False,
    observers: Sequence[Middleware] = (),
) -> list[Middleware]:
    """For `Starlette(middleware=...)`; pages of `allowed_origins` may call with the person's credentials.

    `observers` see each request with its id and the answer of everything further in, refusals included.
    """
    if "*" in allowed_origins:
        raise ValueError("Name the allowed origins: any page could act for a signed-in person otherwise.")
    layers = [
        Middleware(SecurityHeaders, https_only=https_only),
        Middleware(RequestId),
        *observers,
        Middleware(Draining, drain=drain, exempt=undrained_paths),
    ]
    if allowed_origins:
        layers.append(_cors(allowed_origins))
    return [*layers, Middleware(BodyLimit, max_bytes=max_body_bytes, exempt=unlimited_paths)]


def _cors(allowed_origins: Sequence[str]) -> Middleware:
    return Middleware(
        CORSMiddleware,
        allow_origins=list(allowed_origins),
        allow_methods=["GET", "POST"],
        allow_headers=list(ALLOWED_HEADERS),
        expose_headers=list(EXPOSED_HEADERS),
        allow_credentials=True,
        max_age=600,
    )
