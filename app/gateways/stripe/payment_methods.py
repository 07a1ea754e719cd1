"""Payment methods and setup intents: ways to pay that a customer keeps."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.gateways.stripe.caller import call, find
from app.gateways.stripe.pages import all_pages
from app.ports.provider import Object


class PaymentMethods:
    def __init__(self, nouns: Any) -> None:
        self._methods = nouns.payment_methods

    async def get(self, method_id: str) -> Object | None:
        return await find(self._methods.retrieve_async, method_id)

    async def of_customer(self, customer_id: str) -> Sequence[Object]:
        return await all_pages(self._methods.list_async, {"customer": customer_id})

    async def detach(self, method_id: str, *, key: str) -> Object:
        return await call(self._methods.detach_async, method_id, key=key)


class SetupIntents:
    def __init__(self, nouns: Any) -> None:
        self._intents = nouns.setup_intents

    async def create(self, params: Mapping[str, Any], *, key: str) -> Object:
        return await call(self._intents.create_async, params=params, key=key)
