"""Anything by its global id: the type is in the id, its loader is in a table."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.domain.errors import InvalidInput
from app.resolvers.accounts import load_subscription, load_user
from app.resolvers.api_keys import load_api_key
from app.resolvers.books import load_invoice, load_payment, load_payment_method
from app.resolvers.catalog import load_author, load_package, load_version
from app.resolvers.purchases import load_licence, load_purchase
from app.resolvers.reviews import load_review
from app.schema.node import Node, split_id

MAX_IDS = 100

LOADS: Mapping[str, Callable[[Context, UUID], Awaitable[Node | None]]] = {
    "ApiKey": load_api_key,
    "Author": load_author,
    "Invoice": load_invoice,
    "Licence": load_licence,
    "Package": load_package,
    "PackageVersion": load_version,
    "Payment": load_payment,
    "PaymentMethod": load_payment_method,
    "Purchase": load_purchase,
    "Review": load_review,
    "Subscription": load_subscription,
    "User": load_user,
}
"""The type in the id -> what loads it, or gives None for what the viewer must not see."""


async def node(
    info: Info[Context, None], id: Annotated[strawberry.ID, strawberry.argument(description="A global id.")]
) -> Node | None:
    return await _load(info.context, id, field="id")


async def nodes(
    info: Info[Context, None],
    ids: Annotated[list[strawberry.ID], strawberry.argument(description="At most 100 global ids.")],
) -> list[Node | None]:
    if len(ids) > MAX_IDS:
        raise InvalidInput("ids", f"Ask for at most {MAX_IDS} ids, not {len(ids)}.")
    return list(await asyncio.gather(*(_load(info.context, each, field="ids") for each in ids)))


async def _load(context: Context, id: str, *, field: str) -> Node | None:
    """None for what does not exist and for what is another's alike."""
    split = split_id(id)
    if split is None or split[0] not in LOADS:
        raise InvalidInput(field, f"'{id[:80]}' is not an id of this server.")
    kind, uuid = split
    return await LOADS[kind](context, uuid)
