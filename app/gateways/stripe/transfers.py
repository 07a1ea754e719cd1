"""Transfers: money of ours that goes to a connected account."""

from collections.abc import Mapping
from typing import Any

from app.gateways.stripe.caller import call, find
from app.ports.provider import Object


class Transfers:
    def __init__(self, nouns: Any) -> None:
        self._transfers = nouns.transfers

    async def create(self, params: Mapping[str, Any], *, key: str) -> Object:
        return await call(self._transfers.create_async, params=params, key=key)

    async def get(self, transfer_id: str) -> Object | None:
        return await find(self._transfers.retrieve_async, transfer_id)

    async def of_group(self, transfer_group: str) -> Object | None:
        """The newest transfer that was made under the name."""
        params = {"transfer_group": transfer_group, "limit": 1}
        page = await call(self._transfers.list_async, params=params)
        found: list[Object] = page["data"]
        return found[0] if found else None
