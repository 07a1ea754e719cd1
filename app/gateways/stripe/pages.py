"""Lists of Stripe's, read to their end."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.gateways.stripe.caller import Method, call
from app.ports.provider import Object

PAGE = 100


async def all_pages(method: Method, params: Mapping[str, Any]) -> Sequence[Object]:
    """Everything that the list has, in its order; for lists of one customer, which are short."""
    found: list[Object] = []
    asked = {**params, "limit": PAGE}
    while True:
        page = await call(method, params=asked)
        found += page["data"]
        if not page["has_more"]:
            return found
        asked["starting_after"] = page["data"][-1]["id"]
