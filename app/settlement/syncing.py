"""One of the provider's objects, brought up to date here: lease, fetch, apply.

The order is the point. Whoever fetched before holding the lease could write what is older over what is newer;
whoever writes after losing the lease could do the same, so the write's own transaction proves the lease.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.settlement import Kind, Target
from app.ports.provider import Object, PaymentProvider
from app.settlement import invoices, leases, payees, payment_methods, payments, subscriptions, transfers
from app.settlement.tools import Tools

Finish = Callable[[AsyncConnection], Awaitable[None]]
"""Written in the transaction of the effect, such as the mark that an event was processed."""


@dataclass(frozen=True)
class Following:
    """How one kind of object is looked up as a whole, and what follows from how it stands."""

    fetch: Callable[[PaymentProvider, str], Awaitable[Object | None]]
    apply: Callable[[AsyncConnection, Tools, Object], Awaitable[None]]


FOLLOWINGS: Mapping[Kind, Following] = MappingProxyType(
    {
        Kind.PAYMENT: Following(payments.fetch, payments.apply),
        Kind.SUBSCRIPTION: Following(subscriptions.fetch, subscriptions.apply),
        Kind.CUSTOMER: Following(payment_methods.fetch, payment_methods.apply),
        Kind.INVOICE: Following(invoices.fetch, invoices.apply),
        Kind.TRANSFER: Following(transfers.fetch, transfers.apply),
        Kind.ACCOUNT: Following(payees.fetch, payees.apply),
    }
)


async def sync(tools: Tools, target: Target, *, finish: Finish | None = None) -> None:
    """Raises ProviderError (nothing was written) and leases.Busy (someone else is at it: try again)."""
    following = FOLLOWINGS[target.kind]
    lease = await leases.take(tools.database, target.object_id, clock=tools.clock, lasts=tools.lease)
    try:
        found = await following.fetch(tools.provider, target.object_id)
        async with tools.database.transaction() as connection:
            await leases.prove(connection, lease)
            if found is not None:
                await following.apply(connection, tools, found)
            if finish is not None:
                await finish(connection)
    except BaseException:
        await leases.give_back(tools.database, lease)
        raise


def object_id(given: Any) -> str | None:
    """The id of what the provider gives as an id, as an object, or not at all."""
    return given.get("id") if isinstance(given, Mapping) else given
