"""Subscriptions and their schedules: what is paid again and again, and what follows later."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.gateways.stripe.caller import call, find
from app.gateways.stripe.pages import all_pages
from app.ports.provider import Object

EXPANDED = {"expand": ["latest_invoice.confirmation_secret", "pending_setup_intent", "schedule"]}


class Subscriptions:
    def __init__(self, nouns: Any) -> None:
        self._subscriptions = nouns.subscriptions

    async def create(self, params: Mapping[str, Any], *, key: str) -> Object:
        return await call(self._subscriptions.create_async, params=params, key=key)

    async def get(self, subscription_id: str) -> Object | None:
        return await find(self._subscriptions.retrieve_async, subscription_id, params=EXPANDED)

    async def of_customer(self, customer_id: str) -> Sequence[Object]:
        return await all_pages(self._subscriptions.list_async, {"customer": customer_id, "status": "all"})

    async def change(self, subscription_id: str, params: Mapping[str, Any], *, key: str) -> Object:
        return await call(self._subscriptions.update_async, subscription_id, params=params, key=key)

    async def cancel(self, subscription_id: str, *, key: str) -> Object:
        return await call(self._subscriptions.cancel_async, subscription_id, key=key)


class SubscriptionSchedules:
    def __init__(self, nouns: Any) -> None:
        self._schedules = nouns.subscription_schedules

    async def create(self, params: Mapping[str, Any], *, key: str) -> Object:
        return await call(self._schedules.create_async, params=params, key=key)

    async def change(self, schedule_id: str, params: Mapping[str, Any], *, key: str) -> Object:
        return await call(self._schedules.update_async, schedule_id, params=params, key=key)

    async def release(self, schedule_id: str, *, key: str) -> Object:
        return await call(self._schedules.release_async, schedule_id, key=key)
