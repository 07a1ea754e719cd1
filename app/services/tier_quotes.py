"""Quotes: what another plan would cost, computed by the payment provider and held for a while."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.ids import new_id
from app.db.repositories import tier_quotes
from app.domain.errors import PaymentRefused, PaymentUnconfirmed
from app.domain.money import Money
from app.domain.periods import period_from
from app.domain.plans import Interval, Tier
from app.domain.settlement import Kind, Target
from app.domain.subscription_states import Action
from app.domain.tier_quotes import LASTS, Quote
from app.ports.provider import OutcomeUnknown, ProviderBusy, ProviderRefused
from app.settlement import leases, previews, standings
from app.settlement.customers import ensure_customer
from app.settlement.prices import ensure_price
from app.settlement.standings import Wish
from app.settlement.subscription_news import plan_item
from app.settlement.syncing import sync
from app.settlement.tools import Tools


async def preview(
    *, tools: Tools, user_id: UUID, tier: Tier, interval: Interval | None, now: datetime
) -> Quote:
    """Raises NotForSale, InvalidState, Conflict, PaymentRefused, PaymentUnconfirmed.

    Nothing is changed but that the account is known to the provider from then on.
    """
    now = now.replace(microsecond=0)  # the provider counts seconds
    wanted: dict[str, Any] = {"user_id": user_id, "tier": tier, "interval": interval}
    async with tools.database.read() as connection:
        wish = await standings.weigh(connection, tools.plans, **wanted)
    try:
        if wish.is_behind(now):
            wish = await _after_a_look(tools, wish, wanted)
        quote = await _quote(tools, user_id, wish, now=now)
    except (OutcomeUnknown, ProviderBusy, leases.Busy, leases.Lost):
        raise PaymentUnconfirmed from None
    except ProviderRefused as refused:
        raise PaymentRefused(str(refused), reason=refused.code) from None
    async with tools.database.transaction() as connection:
        await tier_quotes.add(
            connection,
            id=quote.id,
            user_id=user_id,
            tier=wish.offer.tier,
            billing_interval=wish.offer.interval,
            due_now_cents=quote.due_now.amount_cents,
            due_next_cents=quote.due_next.amount_cents,
            currency=quote.due_now.currency,
            proration_at=now,
            fingerprint=wish.fingerprint,
            created_at=now,
            expires_at=quote.expires_at,
        )
    return quote


async def _after_a_look(tools: Tools, wish: Wish, wanted: Mapping[str, Any]) -> Wish:
    """What the subscription has become, where its next period has begun unheard."""
    await sync(tools, Target(Kind.SUBSCRIPTION, wish.paid.stripe_subscription_id))
    async with tools.database.read() as connection:
        return await standings.weigh(connection, tools.plans, **wanted)


async def _quote(tools: Tools, user_id: UUID, wish: Wish, *, now: datetime) -> Quote:
    if wish.price is None:
        return _of(wish, due_next=Money(0, wish.paid.currency), now=now)
    customer_id = await ensure_customer(tools, user_id)
    price_id = await ensure_price(tools, wish.offer)
    if wish.action is Action.START:
        return await _start(tools, wish, customer_id, price_id, now=now)
    item_id = await _item_of(tools, wish.paid.stripe_subscription_id)
    if wish.action is Action.UPGRADE and not wish.is_on_trial:
        return await _upgrade(tools, wish, item_id, price_id, now=now)
    return await _later(tools, wish, item_id, price_id, now=now)


async def _item_of(tools: Tools, subscription_id: str) -> str:
    told = await tools.provider.subscriptions.get(subscription_id)
    if told is None:
        raise ProviderRefused("The subscription is gone.", code="resource_missing")
    return str(plan_item(told)["id"])


async def _start(tools: Tools, wish: Wish, customer_id: str, price_id: str, *, now: datetime) -> Quote:
    whole = await previews.of_plan(tools, customer_id=customer_id, price_id=price_id)
    trial_end = wish.trial_end(now)
    next_at = trial_end or whole.period_end or now
    then = await previews.invoiced_at(tools, whole, next_at, is_next=False)
    if trial_end is None:
        return _of(
            wish,
            lines=whole.lines,
            due_now=whole.due,
            due_next=then.due_after(whole),
            next_billing_at=next_at,
            now=now,
        )
    trial = await previews.of_plan(tools, customer_id=customer_id, price_id=price_id, trial_end=trial_end)
    return _of(
        wish,
        lines=trial.lines,
        due_now=trial.due,
        due_next=then.due_after(trial),
        next_billing_at=trial_end,
        trial_end=trial_end,
        now=now,
    )


async def _upgrade(tools: Tools, wish: Wish, item_id: str, price_id: str, *, now: datetime) -> Quote:
    """Another interval begins a new period now, the same one keeps the running period."""
    at_once = await previews.of_upgrade(
        tools,
        subscription_id=wish.paid.stripe_subscription_id,
        item_id=item_id,
        price_id=price_id,
        proration_at=now,
    )
    next_at = at_once.period_end or wish.paid.current_period_end
    subscription_id = wish.paid.stripe_subscription_id
    period = await previews.of_period(
        tools, subscription_id=subscription_id, item_id=item_id, price_id=price_id
    )
    then = await previews.invoiced_at(tools, period, next_at, is_next=False)
    return _of(
        wish,
        lines=at_once.lines,
        due_now=at_once.due,
        due_next=then.due_after(at_once),
        next_billing_at=next_at,
        now=now,
    )


async def _later(tools: Tools, wish: Wish, item_id: str, price_id: str, *, now: datetime) -> Quote:
    """What begins when the running period ends, or when the trial does; nothing is due before."""
    begins = wish.paid.current_period_end
    asked = {
        "subscription_id": wish.paid.stripe_subscription_id,
        "item_id": item_id,
        "price_id": price_id,
    }
    if wish.offer.interval == wish.paid.billing_interval and wish.paid.stripe_schedule_id is None:
        told = await previews.of_renewal(tools, **asked)
        lines = told.lines
    else:
        told = await previews.of_period(tools, **asked, is_on_trial=wish.is_on_trial)
        lines = previews.placed(told.lines, period_from(begins, months=wish.offer.interval.months))
    renewal = await previews.invoiced_at(tools, told, begins, is_next=True)
    return _of(
        wish,
        lines=lines,
        due_next=renewal.due,
        next_billing_at=begins,
        trial_end=wish.paid.trial_end if wish.is_on_trial else None,
        now=now,
    )


def _of(wish: Wish, *, now: datetime, due_next: Money, **given: Any) -> Quote:
    values = {
        "lines": (),
        "due_now": Money(0, due_next.currency),
        "next_billing_at": None,
        "trial_end": None,
        **given,
    }
    return Quote(id=new_id(), offer=wish.offer, due_next=due_next, expires_at=now + LASTS, **values)
