"""Invoices: what a subscription or a service costs, and what a change would cost."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from app.gateways.stripe.caller import call, find
from app.gateways.stripe.pages import all_pages
from app.ports.provider import Object

EXPANDED = {"expand": ["payments.data.payment.payment_intent"]}


class Invoices:
    def __init__(self, nouns: Any) -> None:
        self._invoices = nouns.invoices
        self._items = nouns.invoice_items

    async def get(self, invoice_id: str) -> Object | None:
        found = await find(self._invoices.retrieve_async, invoice_id, params=EXPANDED)
        return None if found is None else await self._whole(found)

    async def _whole(self, told: Object) -> Object:
        """An invoice tells its first ten lines only, a preview as well: more are fetched."""
        if not told["lines"]["has_more"]:
            return told
        lines = await all_pages(partial(self._invoices.line_items.list_async, told["id"]), {})
        return {**told, "lines": {**told["lines"], "data": lines, "has_more": False}}

    async def drafts_of(self, customer_id: str) -> Sequence[Object]:
        return await all_pages(self._invoices.list_async, {"customer": customer_id, "status": "draft"})

    async def create(self, params: Mapping[str, Any], *, key: str) -> Object:
        return await call(self._invoices.create_async, params=params, key=key)

    async def add_item(self, params: Mapping[str, Any], *, key: str) -> Object:
        return await call(self._items.create_async, params=params, key=key)

    async def finalize(self, invoice_id: str, *, key: str) -> Object:
        return await call(
            self._invoices.finalize_invoice_async, invoice_id, params={"auto_advance": False}, key=key
        )

    async def delete(self, invoice_id: str) -> None:
        await call(self._invoices.delete_async, invoice_id)

    async def preview(self, params: Mapping[str, Any]) -> Object:
        return await self._whole(await call(self._invoices.create_preview_async, params=params))

    async def pay(self, invoice_id: str, params: Mapping[str, Any], *, key: str) -> Object:
        return await call(self._invoices.pay_async, invoice_id, params=params, key=key)

    async def void(self, invoice_id: str, *, key: str) -> Object:
        return await call(self._invoices.void_invoice_async, invoice_id, key=key)
