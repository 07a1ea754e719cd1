"""What was made at Stripe since a moment, noun by noun, read page by page."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from app.gateways.stripe.caller import call
from app.gateways.stripe.pages import PAGE
from app.ports.provider import Noun, Object

BESIDE: Mapping[Noun, Mapping[str, Any]] = MappingProxyType({"subscriptions": {"status": "all"}})
"""What a list needs to be told to be whole: subscriptions that ended are left out unless asked for."""


class History:
    def __init__(self, nouns: Any) -> None:
        self._nouns = nouns

    async def pages(self, noun: Noun, *, since: datetime) -> AsyncIterator[Sequence[Object]]:
        asked = {**BESIDE.get(noun, {}), "created": {"gte": int(since.timestamp())}, "limit": PAGE}
        while True:
            page = await call(getattr(self._nouns, noun).list_async, params=asked)
            yield page["data"]
            if not page["has_more"]:
                return
            asked["starting_after"] = page["data"][-1]["id"]
