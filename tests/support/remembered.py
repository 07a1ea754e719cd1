"""What the stand-in answered is answered again while nothing changes there: for looking at one state very often."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.payments import Shop


@contextmanager
def answers_remembered(shop: Shop) -> Iterator[None]:
    """Of GETs alone, and only as long as the stand-in's objects and its clock stand still."""
    transport: Any = shop.api.deps.provider._http  # type: ignore[union-attr]  # the SDK's own, which has it
    world, ask = shop.stand_in.sandbox.world, transport.request_async
    known: dict[tuple[Any, ...], Any] = {}

    async def request_async(method: str, url: str, *given: Any, **named: Any) -> Any:
        if method.upper() != "GET":
            return await ask(method, url, *given, **named)
        key = (url, world.changes, world.now())
        if key not in known:
            known[key] = await ask(method, url, *given, **named)
        return known[key]

    transport.request_async = request_async
    try:
        yield
    finally:
        transport.request_async = ask
