"""Events: what happened at Stripe, for 30 days."""

from collections.abc import Sequence
from typing import Any

from app.gateways.stripe.caller import call, find
from app.ports.provider import Object


class Events:
    def __init__(self, nouns: Any) -> None:
        self._events = nouns.events

    async def get(self, event_id: str) -> Object | None:
        return await find(self._events.retrieve_async, event_id)

    async def since(self, created: int, *, after: str | None = None, limit: int = 100) -> Sequence[Object]:
        params: dict[str, Any] = {"created": {"gte": created}, "limit": limit}
        if after:
            params["starting_after"] = after
        page = await call(self._events.list_async, params=params)
        events: list[Object] = page["data"]
        return events
