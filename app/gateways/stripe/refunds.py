"""Refunds: what is given back of a payment."""

from collections.abc import Mapping
from typing import Any

from app.gateways.stripe.caller import call
from app.ports.provider import Object


class Refunds:
    def __init__(self, nouns: Any) -> None:
        self._refunds = nouns.refunds

    async def create(self, params: Mapping[str, Any], *, key: str) -> Object:
        return await call(self._refunds.create_async, params=params, key=key)
