"""Invoices: what a subscription or a service costs, and what a change would cost."""

from collections.abc import Mapping
from typing import Any

from app.gateways.stripe.caller import call
from app.ports.provider import Object


class Invoices:
    def __init__(self, nouns: Any) -> None:
        self._invoices = nouns.invoices

    async def preview(self, params: Mapping[str, Any]) -> Object:
        return await call(self._invoices.create_preview_async, params=params)

    async def pay(self, invoice_id: str, params: Mapping[str, Any], *, key: str) -> Object:
        return await call(self._invoices.pay_async, invoice_id, params=params, key=key)

    async def void(self, invoice_id: str, *, key: str) -> Object:
        return await call(self._invoices.void_invoice_async, invoice_id, key=key)
