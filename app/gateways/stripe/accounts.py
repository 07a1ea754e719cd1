"""Connected accounts: who is paid by transfers, once Stripe knows enough of them."""

from typing import Any

from app.gateways.stripe.caller import call, find
from app.ports.provider import Object


class Accounts:
    def __init__(self, nouns: Any) -> None:
        self._accounts, self._links = nouns.accounts, nouns.account_links

    async def create(self, *, author_id: str, key: str) -> Object:
        params = {
            "type": "express",
            "capabilities": {"transfers": {"requested": True}},
            "metadata": {"author_id": author_id},
        }
        return await call(self._accounts.create_async, params=params, key=key)

    async def get(self, account_id: str) -> Object | None:
        return await find(self._accounts.retrieve_async, account_id)

    async def link(self, account_id: str, *, return_url: str, refresh_url: str) -> Object:
        params = {
            "account": account_id,
            "return_url": return_url,
            "refresh_url": refresh_url,
            "type": "account_onboarding",
        }
        return await call(self._links.create_async, params=params)
