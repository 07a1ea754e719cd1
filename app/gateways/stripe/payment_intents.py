"""Payment intents: one for each thing that is paid, through all its attempts."""

from collections.abc import Mapping
from typing import Any

from app.gateways.stripe.caller import call, find
from app.ports.provider import Object

EXPANDED = {"expand": ["latest_charge"]}


class PaymentIntents:
    def __init__(self, nouns: Any) -> None:
        self._intents = nouns.payment_intents

    async def create(self, params: Mapping[str, Any], *, key: str) -> Object:
        return await call(self._intents.create_async, params=params, key=key)

    async def get(self, intent_id: str) -> Object | None:
        return await find(self._intents.retrieve_async, intent_id, params=EXPANDED)

    async def confirm(self, intent_id: str, params: Mapping[str, Any], *, key: str) -> Object:
        return await call(self._intents.confirm_async, intent_id, params=params, key=key)

    async def cancel(self, intent_id: str, *, key: str) -> Object:
        return await call(self._intents.cancel_async, intent_id, key=key)
