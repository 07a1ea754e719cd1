"""Anything by its global id: the type is in the id, its loader is in a table."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.domain.errors import InvalidInput
from app.resolvers.accounts import load_subscriptions, load_users
from app.resolvers.api_keys import load_api_keys
from app.resolvers.background import load_jobs, load_webhook_events
from app.resolvers.books import (
    load_disputes,
    load_invoices,
    load_payment_methods,
    load_payments,
    load_refunds,
)
from app.resolvers.catalog import load_authors, load_packages, load_versions
from app.resolvers.payouts import load_payouts
from app.resolvers.purchases import load_licences, load_purchases
from app.resolvers.reviews import load_reviews
from app.schema.node import Node, split_id

MAX_IDS = 100

LOADS: Mapping[str, Callable[[Context, list[UUID]], Awaitable[Sequence[Node | None]]]] = {
    "ApiKey": load_api_keys,
    "Author": load_authors,
    "Dispute": load_disputes,
    "Invoice": load_invoices,
    "Job": load_jobs,
    "Licence": load_licences,
    "Package": load_packages,
    "PackageVersion": load_versions,
    "Payment": load_payments,
    "PaymentMethod": load_payment_methods,
    "Payout": load_payouts,
    "Purchase": load_purchases,
    "Refund": load_refunds,
    "Review": load_reviews,
    "Subscription": load_subscriptions,
    "User": load_users,
    "WebhookEvent": load_webhook_events,
}
"""The type in the id -> what loads many of it, and gives None for what the viewer must not see."""


async def node(
    info: Info[Context, None], id: Annotated[strawberry.ID, strawberry.argument(description="A global id.")]
) -> Node | None:
    return (await _load(info.context, [id], field="id"))[0]


async def nodes(
    info: Info[Context, None],
    ids: Annotated[list[strawberry.ID], strawberry.argument(description="At most 100 global ids.")],
) -> list[Node | None]:
    if len(ids) > MAX_IDS:
        raise InvalidInput("ids", f"Ask for at most {MAX_IDS} ids, not {len(ids)}.")
    return await _load(info.context, ids, field="ids")


async def _load(context: Context, ids: Sequence[str], *, field: str) -> list[Node | None]:
    """In the order of the ids; None for what does not exist and for what is another's alike."""
    split = [_split(each, field) for each in ids]
    by_kind: dict[str, list[UUID]] = defaultdict(list)
    for kind, uuid in split:
        by_kind[kind].append(uuid)
    found = await asyncio.gather(*(LOADS[kind](context, uuids) for kind, uuids in by_kind.items()))
    nodes = {kind: iter(loaded) for kind, loaded in zip(by_kind, found, strict=True)}
    return [next(nodes[kind]) for kind, _ in split]


def _split(id: str, field: str) -> tuple[str, UUID]:
    split = split_id(id)
    if split is None or split[0] not in LOADS:
        raise InvalidInput(field, f"'{id[:80]}' is not an id of this server.")
    return split
