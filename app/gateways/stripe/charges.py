"""Charges: what each attempt to take money left behind, and what went back of it."""

from collections.abc import Sequence
from typing import Any

from app.gateways.stripe.pages import all_pages
from app.ports.provider import Object


class Charges:
    def __init__(self, nouns: Any) -> None:
        self._charges = nouns.charges
        self._refunds = nouns.refunds

    async def of_intent(self, intent_id: str) -> Sequence[Object]:
        params = {"payment_intent": intent_id, "expand": ["data.refunds"]}
        found = await all_pages(self._charges.list_async, params)
        return [{**charge, "refunds": await self._refunds_of(charge)} for charge in found]

    async def _refunds_of(self, charge: Object) -> Sequence[Object]:
        """An expanded charge tells the newest only."""
        listed = charge["refunds"]
        if listed["has_more"]:
            return await all_pages(self._refunds.list_async, {"charge": charge["id"]})
        told: list[Object] = listed["data"]
        return told
