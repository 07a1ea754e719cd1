"""A payout is opened: its amount leaves the balance at once, and is sent after."""

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database
from app.db.ids import new_id
from app.db.repositories import accounts, audit, balances, idempotency, payouts
from app.db.repositories import ledger as books
from app.domain.commission import Terms
from app.domain.errors import InvalidState, NotFound
from app.domain.idempotency import check_key, fingerprint
from app.domain.ledger import PayoutMethod
from app.domain.money import currency_code
from app.domain.payouts import FIRST_CHECK, Asked, amount_of
from app.domain.viewer import Viewer
from app.ports.provider import ProviderError
from app.services.payouts.connecting import author_of, look_again
from app.settlement import leases, ledger
from app.settlement import payouts as settling
from app.settlement.tools import Tools

log = structlog.get_logger(__name__)


async def request(
    tools: Tools,
    *,
    viewer: Viewer,
    currency: str,
    amount_cents: int | None,
    idempotency_key: str,
    now: datetime,
) -> UUID:
    """The payout's id; the same key with the same input gives the same again. ``amount_cents`` None: all.

    Raises InvalidInput, IdempotencyMismatch, NotFound, InvalidState (not connected), InsufficientBalance,
    Unavailable; then nothing was changed. Whatever the provider answers, the payout tells how it stands.
    """
    asked = Asked(currency_code(currency), amount_cents)
    author = await author_of(tools.database, viewer)
    await look_again(tools, author.id)
    payout_id = await _open(
        tools.database,
        terms=tools.commission,
        viewer=viewer,
        author_id=author.id,
        asked=asked,
        method=PayoutMethod.TRANSFER,
        operation="requestPayout",
        idempotency_key=idempotency_key,
        now=now,
    )
    await _send(tools, payout_id)
    return payout_id


async def create(
    database: Database,
    tools: Tools | None,
    *,
    terms: Terms,
    viewer: Viewer,
    author_id: UUID,
    method: PayoutMethod,
    currency: str,
    amount_cents: int | None,
    idempotency_key: str,
    now: datetime,
) -> UUID:
    """As ``request``, of any author; one by hand needs no provider (``tools`` None) and stays pending.

    Raises what ``request`` raises.
    """
    if tools is not None:
        await look_again(tools, author_id)
    payout_id = await _open(
        database,
        terms=terms,
        viewer=viewer,
        author_id=author_id,
        asked=Asked(currency_code(currency), amount_cents),
        method=method,
        operation="createPayout",
        idempotency_key=idempotency_key,
        now=now,
    )
    if tools is not None:
        await _send(tools, payout_id)
    return payout_id


async def _open(
    database: Database,
    *,
    terms: Terms,
    viewer: Viewer,
    author_id: UUID,
    asked: Asked,
    method: PayoutMethod,
    operation: str,
    idempotency_key: str,
    now: datetime,
) -> UUID:
    key, payout_id = check_key(idempotency_key), new_id()
    given = {"authorId": str(author_id), "method": method, "currency": asked.currency}
    async with database.transaction() as connection:
        await accounts.hold(connection, viewer.user_id)
        earlier = await idempotency.claim(
            connection,
            user_id=viewer.user_id,
            operation=operation,
            key=key,
            request_hash=fingerprint({**given, "amountCents": asked.amount_cents}),
            result_id=payout_id,
            now=now,
        )
        if earlier is not None:
            return earlier
        await _take(
            connection,
            payout_id,
            viewer,
            author_id=author_id,
            asked=asked,
            method=method,
            terms=terms,
            now=now,
        )
    return payout_id


async def _take(
    connection: AsyncConnection,
    payout_id: UUID,
    viewer: Viewer,
    *,
    author_id: UUID,
    asked: Asked,
    method: PayoutMethod,
    terms: Terms,
    now: datetime,
) -> None:
    """Holds the author, so that of payouts at once each sees what the others took."""
    payee = await payouts.payee_of(connection, author_id)
    if payee is None:
        raise NotFound("An author with this id", field="authorId")
    transfer = method is PayoutMethod.TRANSFER
    if transfer and not (payee.stripe_account_id and payee.transfers_enabled):
        state = "not ready" if payee.stripe_account_id else "not connected"
        raise InvalidState(what="The payout account", state=state, action="be paid: see connectPayouts")
    await books.hold_author(connection, author_id)
    available = await balances.available(connection, author_id, currency=asked.currency, now=now)
    amount = amount_of(asked, available_cents=available, terms=terms)
    await payouts.add(
        connection,
        payout_id=payout_id,
        author_id=author_id,
        amount_cents=amount,
        currency=asked.currency,
        destination=payee.stripe_account_id if transfer else None,
        requested_by=viewer.user_id,
        check_at=now + FIRST_CHECK if transfer else None,
        now=now,
    )
    await ledger.record_payout(
        connection,
        source=str(payout_id),
        author_id=author_id,
        amount_cents=amount,
        currency=asked.currency,
        now=now,
    )
    await audit.note(
        connection,
        "open_payout",
        actor_id=viewer.user_id,
        subject_id=payout_id,
        now=now,
        amount=amount,
        currency=asked.currency,
        method=method,
    )


async def _send(tools: Tools, payout_id: UUID) -> None:
    """What is not settled now, the sweeper settles: the payout stays pending."""
    try:
        await settling.send(tools, payout_id)
    except (ProviderError, leases.Busy, leases.Lost) as error:
        log.warning("payout_still_open", payout_id=str(payout_id), error=repr(error))
