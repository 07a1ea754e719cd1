"""Who is paid: an author's account at the provider, made once, and whether it takes money yet."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import payouts
from app.ports.provider import Object, PaymentProvider
from app.settlement import leases
from app.settlement.tools import Tools


async def ensure_account(tools: Tools, author_id: UUID) -> str:
    """The author's account id; two requests at once get one and the same. Raises ProviderError, leases.Busy.

    The call that makes it says nothing that could change: repeated after a crash or a lost answer it is the
    same request under the same key, which the provider answers with the account that there is.
    """
    key = f"payee-{author_id}"
    async with leases.held(tools.database, key, clock=tools.clock) as lease:
        async with tools.database.read() as connection:
            author = await payouts.payee_of(connection, author_id)
        assert author is not None  # authors are never deleted
        if author.stripe_account_id is not None:
            return str(author.stripe_account_id)
        made = await tools.provider.accounts.create(author_id=str(author_id), key=key)
        async with tools.database.transaction() as connection:
            await leases.prove(connection, lease)
            await payouts.record_account(connection, author_id, account_id=made["id"])
    return str(made["id"])


async def fetch(provider: PaymentProvider, account_id: str) -> Object | None:
    return await provider.accounts.get(account_id)


async def apply(connection: AsyncConnection, tools: Tools, account: Object) -> None:  # noqa: ARG001 - as all followings
    enabled = account["capabilities"].get("transfers") == "active"
    await payouts.note_account(connection, account_id=account["id"], enabled=enabled)
