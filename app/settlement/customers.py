"""Customers: each account is one at the provider, made when it first pays, and kept up to date."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import customers, outbox
from app.db.rows import Row
from app.domain.errors import Unauthenticated
from app.domain.outbox import Topic
from app.ports.provider import PaymentProvider, ProviderRefused
from app.settlement import leases
from app.settlement.tools import Tools


async def ensure_customer(tools: Tools, user_id: UUID, *, instead_of: str | None = None) -> str:
    """The account's customer id at the provider; two requests at once get one and the same.

    The call that makes it says nothing that could change: a repetition after a crash or a lost answer is the
    same request under the same key, so that the provider answers with the customer that there is.
    ``instead_of``: one that somebody has deleted at the provider.
    Raises ProviderError, leases.Busy, and Unauthenticated where the account has ended.
    """
    async with leases.held(
        tools.database, f"customer-{user_id}", clock=tools.clock, lasts=tools.lease
    ) as lease:
        user = await _read(tools, user_id)
        if user.stripe_customer_id not in (None, instead_of):
            return str(user.stripe_customer_id)
        key = f"customer-{user_id}-instead-of-{instead_of}" if instead_of else f"customer-{user_id}"
        made = await _make(tools.provider, user, key)
        async with tools.database.transaction() as connection:
            await leases.prove(connection, lease)
            await _record(connection, tools, user, made, instead_of)
    return made


async def _make(provider: PaymentProvider, user: Row, key: str) -> str:
    """A key that is remembered may answer with a customer that was deleted since: then another is made."""
    made = str((await provider.customers.create(user_id=str(user.id), key=key))["id"])
    try:
        await _tell(provider, made, user)
    except ProviderRefused as refused:
        if refused.code != "resource_missing" or key.endswith(made):
            raise
        return await _make(provider, user, f"customer-{user.id}-instead-of-{made}")
    return made


async def pass_on(tools: Tools, user_id: UUID) -> None:
    """Tells the provider the account's address and name as they are now. Raises ProviderError.

    Whoever deleted the customer there is not to be told: the next payment makes another.
    """
    async with leases.held(tools.database, f"customer-{user_id}", clock=tools.clock, lasts=tools.lease):
        async with tools.database.read() as connection:
            user = await customers.of_user(connection, user_id)
        if user is None or user.stripe_customer_id is None:
            return
        if await tools.provider.customers.get(user.stripe_customer_id) is not None:
            await _tell(tools.provider, user.stripe_customer_id, user)


async def _read(tools: Tools, user_id: UUID) -> Row:
    async with tools.database.read() as connection:
        user = await customers.of_user(connection, user_id)
    if user is None:
        raise Unauthenticated("This account has ended.")
    return user


async def _tell(provider: PaymentProvider, customer_id: str, user: Row) -> None:
    await provider.customers.change(customer_id, {"email": user.email, "name": user.name})


async def _record(
    connection: AsyncConnection, tools: Tools, told: Row, customer_id: str, instead_of: str | None
) -> None:
    """What changed while the provider was told of it has found no customer yet: it is passed on after."""
    now = await customers.record(
        connection, told.id, customer_id=customer_id, instead_of=instead_of, now=tools.clock()
    )
    if now is not None and (now.email, now.name) != (told.email, told.name):
        await outbox.add(connection, Topic.CUSTOMER_CHANGED, {"user_id": str(told.id)}, now=tools.clock())
