"""Which endpoint is this, what does it take, and which part of that does the stand-in cover?"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from sandbox.errors import ApiError, ParameterError
from sandbox.params import checked

if TYPE_CHECKING:
    from sandbox.world import World

Handler = Callable[..., dict[str, Any]]
PAGING = "limit starting_after ending_before"


@dataclass(frozen=True)
class Route:
    """An endpoint.

    `takes` is the SDK's description of its parameters, `covers` the names that have an effect here.
    """

    method: str
    path: str
    handler: Handler
    takes: type
    covers: frozenset[str]
    pattern: re.Pattern[str]

    def call(self, world: "World", given: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
        return self.handler(world, given, *keys)

    def read(self, given: dict[str, Any]) -> dict[str, Any]:
        params = checked(given, self.takes)
        refuse_uncovered(params, self.covers, "")
        return params


def route(method: str, path: str, handler: Handler, takes: Any, covers: str = "") -> Route:
    pattern = re.compile("^" + re.sub(r"\{\w+\}", "((?!search$)[^/]+)", path) + "$")
    return Route(method, path, handler, takes, frozenset([*covers.split(), "expand"]), pattern)


def get(path: str, handler: Handler, takes: Any, covers: str = "") -> Route:
    return route("GET", path, handler, takes, covers)


def one(path: str, kind: str, takes: Any) -> Route:
    return get(path, lambda world, _params, key: world.get(kind, key), takes)


def listing(path: str, handler: Handler, takes: Any, covers: str = "") -> Route:
    created = "created" if "created" in takes.__annotations__ else ""
    return route("GET", path, handler, takes, f"{PAGING} {created} {covers}")


def post(path: str, handler: Handler, takes: Any, covers: str = "") -> Route:
    return route("POST", path, handler, takes, covers)


def delete(path: str, handler: Handler, takes: Any, covers: str = "") -> Route:
    return route("DELETE", path, handler, takes, covers)


def parts(name: str, inner: str) -> str:
    """`parts("card", "token cvc") == "card.token card.cvc"`"""
    return " ".join(f"{name}.{part}" for part in inner.split())


def refuse_uncovered(params: Any, covers: frozenset[str], prefix: str) -> None:
    """A parameter that Stripe knows and the stand-in would ignore is refused: silence would prove nothing.

    `items.price` in `covers` says that of `items` only the named parts are covered.
    """
    if isinstance(params, list):
        for item in params:
            refuse_uncovered(item, covers, prefix)
        return
    if not isinstance(params, dict):
        return
    for name, value in params.items():
        path = f"{prefix}{name}"
        if any(entry.startswith(f"{path}.") for entry in covers):
            refuse_uncovered(value, covers, f"{path}.")
        elif path not in covers and value is not False:
            not_covered(path)


def not_covered(path: str) -> NoReturn:
    message = f"The stand-in does not cover the parameter {path}, which Stripe would accept."
    raise ParameterError(message, param=path, code="sandbox_not_covered")


def find(routes: Iterable[Route], method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    for candidate in routes:
        found = candidate.pattern.match(path)
        if found and candidate.method == method:
            return candidate, found.groups()
    message = (
        f"Unrecognized request URL ({method}: {path}). The stand-in may not cover it; see docs/sandbox.md."
    )
    raise ApiError(404, "invalid_request_error", message, code="sandbox_not_covered")
