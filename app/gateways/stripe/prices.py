"""Prices: what a plan costs for an interval, found again by a key of ours."""

from collections.abc import Mapping
from typing import Any

from app.gateways.stripe.caller import call
from app.ports.provider import Object


class Prices:
    def __init__(self, nouns: Any) -> None:
        self._prices = nouns.prices

    async def create(self, params: Mapping[str, Any], *, key: str) -> Object:
        return await call(self._prices.create_async, params=params, key=key)

    async def by_lookup_key(self, lookup_key: str) -> Object | None:
        page = await call(self._prices.list_async, params={"lookup_keys": [lookup_key], "limit": 1})
        return page["data"][0] if page["data"] else None
