"""How an author comes to be paid: the account at the provider, and whether it takes money yet."""

from typing import Any
from uuid import UUID

import structlog

from app.db.database import Database
from app.db.repositories import authors, payouts
from app.domain.errors import InvalidState, NotFound, Unavailable
from app.domain.payouts import check_url
from app.domain.settlement import Kind, Target
from app.domain.viewer import Viewer
from app.ports.provider import Object, ProviderError, ProviderRefused
from app.settlement import leases, payees
from app.settlement.syncing import sync
from app.settlement.tools import Tools

log = structlog.get_logger(__name__)


async def connect(tools: Tools, *, viewer: Viewer, return_url: str, refresh_url: str | None) -> Object:
    """The provider's page, ``url`` until ``expires_at``, where the author tells what is asked.

    Raises InvalidInput, NotFound (the account is no author's), InvalidState (the provider has ended its
    account), Unavailable.
    """
    back = check_url(return_url, field="returnUrl")
    again = check_url(refresh_url, field="refreshUrl") if refresh_url is not None else back
    author = await author_of(tools.database, viewer)
    try:
        account_id = await payees.ensure_account(tools, author.id)
        await sync(tools, Target(Kind.ACCOUNT, account_id))
        return await tools.provider.accounts.link(account_id, return_url=back, refresh_url=again)
    except ProviderRefused as refused:
        log.warning("payout_account_refused", author_id=str(author.id), code=refused.code)
        raise await _refused(tools, author.id) from refused
    except (ProviderError, leases.Busy, leases.Lost) as error:
        raise Unavailable("payment provider") from error


async def _refused(tools: Tools, author_id: UUID) -> InvalidState:
    """What to do, too, where the account was deleted: only a person can tell why."""
    async with tools.database.read() as connection:
        payee = await payouts.payee_of(connection, author_id)
    if payee is None or payee.stripe_account_id is None or not await _is_gone(tools, payee.stripe_account_id):
        return InvalidState(what="The payout account", state="refused", action="be connected")
    return InvalidState(
        what="The payout account",
        state="deleted at the payment provider",
        action="be connected again: write to us, to be paid by hand or to be given another account",
    )


async def _is_gone(tools: Tools, account_id: str) -> bool:
    try:
        return await tools.provider.accounts.get(account_id) is None
    except ProviderRefused as refused:
        return refused.code == "account_invalid"
    except ProviderError:
        return False


async def author_of(database: Database, viewer: Viewer) -> Any:
    """Raises NotFound for an account that is no author's."""
    async with database.read() as connection:
        author = await authors.by_user(connection, viewer.user_id)
    if author is None:
        raise NotFound("An author of this account (becomeAuthor makes one)")
    return author


async def look_again(tools: Tools, author_id: UUID) -> None:
    """Whether an account that took no money yet does so now, in case nobody told us. Raises Unavailable."""
    async with tools.database.read() as connection:
        payee = await payouts.payee_of(connection, author_id)
    if payee is None or payee.stripe_account_id is None or payee.transfers_enabled:
        return
    try:
        await sync(tools, Target(Kind.ACCOUNT, payee.stripe_account_id))
    except (ProviderError, leases.Busy, leases.Lost) as error:
        raise Unavailable("payment provider") from error
