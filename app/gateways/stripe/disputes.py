"""Disputes: payments that a payer's bank wants back."""

from collections.abc import Sequence
from typing import Any

from app.gateways.stripe.pages import all_pages
from app.ports.provider import Object


class Disputes:
    def __init__(self, nouns: Any) -> None:
        self._disputes = nouns.disputes

    async def of_intent(self, intent_id: str) -> Sequence[Object]:
        return await all_pages(self._disputes.list_async, {"payment_intent": intent_id})
