"""Changes of plan: asked for, written down, carried out, and answered the same when they are asked again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.repositories import accounts, idempotency, subscriptions, tier_changes, tier_quotes
from app.db.rows import Row
from app.domain.errors import (
    Conflict,
    DomainError,
    InvalidState,
    PaymentDeclined,
    PaymentRefused,
    PaymentUnconfirmed,
    QuoteExpired,
)
from app.domain.idempotency import check_key, fingerprint
from app.domain.plans import Interval, Tier
from app.domain.subscription_changes import CHECKED_AFTER
from app.domain.subscription_states import Action, after
from app.domain.subscriptions import ChangeKind, ChangeStatus, Offer
from app.ports.provider import OutcomeUnknown, ProviderBusy
from app.settlement import leases, standings
from app.settlement.tier_changes import carry_out
from app.settlement.tools import Tools

KINDS = {action: ChangeKind(action) for action in Action if action is not Action.CANCEL_NOW} | {
    Action.CANCEL_NOW: ChangeKind.CANCEL
}


@dataclass(frozen=True)
class Changed:
    """``client_secret`` pays the first invoice or that of an upgrade.

    ``setup_secret`` saves a way to pay what follows a trial.

    ``problem``: the subscription waits, because the default method was declined.
    """

    client_secret: str | None
    setup_secret: str | None
    problem: DomainError | None


async def change(
    *,
    tools: Tools,
    user_id: UUID,
    tier: Tier,
    interval: Interval | None,
    quote_id: UUID | None,
    idempotency_key: str,
    now: datetime,
) -> Changed:
    """To the plan and interval of the quote. The same key with the same input gives the first answer again.

    Raises QuoteExpired, NotForSale, InvalidState, Conflict, IdempotencyMismatch, InvalidInput,
    PaymentDeclined and PaymentRefused (nothing was changed), PaymentUnconfirmed (it will be found out).
    """
    asked = {"tier": tier.value, "interval": interval and interval.value, "quoteId": str(quote_id)}
    request = _Request(tools, user_id, "changeTier", check_key(idempotency_key), fingerprint(asked), now)
    async with tools.database.transaction() as connection:
        change_id, is_new = await request.claim(connection)
        if is_new:
            await _write_change(connection, request, change_id, tier, interval, quote_id)
    return await _carry_out(tools, change_id)


async def _write_change(
    connection: AsyncConnection,
    request: "_Request",
    change_id: UUID,
    tier: Tier,
    interval: Interval | None,
    quote_id: UUID | None,
) -> None:
    quote = await _quote(connection, request, quote_id)
    told = Offer(Tier(quote.tier), Interval(quote.billing_interval))
    if Offer(tier, interval or told.interval) != told:
        raise QuoteExpired(told=(told.tier, told.interval))
    wish = await standings.weigh(
        connection, request.tools.plans, user_id=request.user_id, tier=told.tier, interval=told.interval
    )
    if wish.fingerprint != quote.fingerprint or wish.is_behind(request.now):
        raise QuoteExpired
    await request.write(
        connection,
        change_id,
        wish.action,
        offer=wish.offer,
        paid=wish.paid if wish.action is not Action.START else None,
        quote_id=quote.id,
        proration_at=int(quote.proration_at.timestamp()),
        trial_days=wish.trial_days,
        ends=wish.paid is not None and wish.paid.cancel_at_period_end,
    )


async def _quote(connection: AsyncConnection, request: "_Request", quote_id: UUID | None) -> Row:
    quote = quote_id and await tier_quotes.of_user(connection, quote_id, user_id=request.user_id)
    if not quote or quote.expires_at <= request.now or await tier_changes.used(connection, quote.id):
        raise QuoteExpired
    return quote


async def cancel(
    *, tools: Tools, user_id: UUID, at_period_end: bool, idempotency_key: str, now: datetime
) -> Changed:
    """At the period's end, or at once and without paying back. Raises as ``change`` does."""
    action = Action.CANCEL if at_period_end else Action.CANCEL_NOW
    asked = fingerprint({"atPeriodEnd": at_period_end})
    return await _act(
        _Request(tools, user_id, "cancelSubscription", check_key(idempotency_key), asked, now), action
    )


async def resume(*, tools: Tools, user_id: UUID, idempotency_key: str, now: datetime) -> Changed:
    """Takes back what would come at the end of the period: the end, or another plan. Raises as ``change``."""
    key = check_key(idempotency_key)
    return await _act(
        _Request(tools, user_id, "resumeSubscription", key, fingerprint({}), now), Action.RESUME
    )


async def _act(request: "_Request", action: Action) -> Changed:
    async with request.tools.database.transaction() as connection:
        change_id, is_new = await request.claim(connection)
        if is_new:
            paid = await subscriptions.paid_of(connection, request.user_id)
            after(standings.standing_of(paid), action)
            await request.write(connection, change_id, action, offer=standings.offer_of(paid), paid=paid)
    return await _carry_out(request.tools, change_id)


@dataclass(frozen=True)
class _Request:
    tools: Tools
    user_id: UUID
    operation: str
    key: str
    request_hash: str
    now: datetime

    async def claim(self, connection: AsyncConnection) -> tuple[UUID, bool]:
        """The change, and whether it is to be written now. One at a time is open for an account."""
        await accounts.hold(connection, self.user_id)
        change_id = new_id()
        earlier = await idempotency.claim(
            connection,
            user_id=self.user_id,
            operation=self.operation,
            key=self.key,
            request_hash=self.request_hash,
            result_id=change_id,
            now=self.now,
        )
        if earlier is not None:
            return earlier, False
        if await tier_changes.is_open(connection, self.user_id):
            raise Conflict("Another change of the plan is under way: wait until it is settled.")
        return change_id, True

    async def write(
        self,
        connection: AsyncConnection,
        change_id: UUID,
        action: Action,
        *,
        offer: Offer,
        paid: Any,
        quote_id: UUID | None = None,
        **details: Any,
    ) -> None:
        await tier_changes.add(
            connection,
            id=change_id,
            user_id=self.user_id,
            quote_id=quote_id,
            kind=KINDS[action],
            tier=offer.tier,
            billing_interval=offer.interval,
            details={
                "action": action,
                "subscription": paid.stripe_subscription_id if paid else None,
                **details,
            },
            created_at=self.now,
            updated_at=self.now,
            check_at=self.now + CHECKED_AFTER,
        )


async def _carry_out(tools: Tools, change_id: UUID) -> Changed:
    try:
        await carry_out(tools, change_id)
    except (OutcomeUnknown, ProviderBusy, leases.Busy, leases.Lost):
        raise PaymentUnconfirmed from None
    async with tools.database.read() as connection:
        change = await tier_changes.by_id(connection, change_id)
    return _answer(change)


def _answer(change: Row) -> Changed:
    details, declined = change.details, change.details.get("declined")
    if change.status == ChangeStatus.FAILED:
        if declined:
            raise PaymentDeclined(decline_code=change.failure_code)
        if change.failure_code == "subscription_over":
            raise InvalidState(what="The subscription", state="over", action="be changed")
        raise PaymentRefused(details.get("message", ""), reason=change.failure_code)
    problem = PaymentDeclined(decline_code=declined) if declined else None
    return Changed(details.get("client_secret"), details.get("setup_secret"), problem)
