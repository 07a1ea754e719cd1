"""Customers: who pays."""

from collections.abc import Mapping
from typing import Any

from app.gateways.stripe.caller import call, find
from app.ports.provider import Object


class Customers:
    def __init__(self, nouns: Any) -> None:
        self._customers = nouns.customers

    async def create(self, *, user_id: str, key: str) -> Object:
        params = {"metadata": {"user_id": user_id}}
        return await call(self._customers.create_async, params=params, key=key)

    async def get(self, customer_id: str) -> Object | None:
        return await find(self._customers.retrieve_async, customer_id)

    async def change(self, customer_id: str, params: Mapping[str, Any]) -> Object:
        return await call(self._customers.update_async, customer_id, params=params)
