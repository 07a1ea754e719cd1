"""How does an account's subscription stand, and what does a wish for another plan amount to?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import subscriptions
from app.domain.errors import InvalidState, NotForSale
from app.domain.money import Money
from app.domain.plans import Interval, Plan, Tier
from app.domain.subscription_states import Action, Standing, action_for, after
from app.domain.subscriptions import Offer, Outlook, SubscriptionStatus
from app.domain.tier_quotes import fingerprint_of


@dataclass(frozen=True)
class Wish:
    """``paid``: the row of the account's paid subscription, None without one; ``trial_days``: 0 for none.

    ``price`` is None for the free plan, and for nothing else.
    """

    action: Action
    offer: Offer
    paid: Any
    price: Money | None
    trial_days: int

    @property
    def is_on_trial(self) -> bool:
        return self.paid is not None and self.paid.status == SubscriptionStatus.TRIALING

    def is_behind(self, now: datetime) -> bool:
        """The period is over, and so is a trial: what followed at the provider was not heard yet."""
        return self.paid is not None and self.paid.current_period_end <= now

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.paid, self.offer, price=self.price, trial_days=self.trial_days)

    def trial_end(self, now: datetime) -> datetime | None:
        return now + timedelta(days=self.trial_days) if self.trial_days else None


async def weigh(
    connection: AsyncConnection,
    plans: Mapping[Tier, Plan],
    *,
    user_id: UUID,
    tier: Tier,
    interval: Interval | None,
) -> Wish:
    """Raises NotForSale, InvalidState, and Conflict for what is there already.

    Unless ``interval`` is given, it stays as it is; a first one is by the month.
    """
    paid = await subscriptions.paid_of(connection, user_id)
    await _refuse_agreed_terms(connection, user_id, paid)
    standing = standing_of(paid)
    current = offer_of(paid) if paid else Offer(Tier.FREE, Interval.MONTH)
    wanted = Offer(tier, interval or current.interval)
    price = _price(plans, wanted)
    action = action_for(standing, current=current, wanted=wanted, scheduled=_scheduled(paid))
    after(standing, action)
    trial_days = plans[tier].trial_days if action is Action.START else 0
    if trial_days and await subscriptions.had_trial(connection, user_id):
        trial_days = 0
    return Wish(action, wanted, paid, price, trial_days)


async def _refuse_agreed_terms(connection: AsyncConnection, user_id: UUID, paid: Any) -> None:
    """A plan that somebody gave the account without the provider is changed by whoever gave it."""
    live = None if paid is not None else await subscriptions.live_of(connection, user_id)
    if live is not None and live.tier != Tier.FREE:
        raise InvalidState(what="The plan", state="agreed with us", action="be changed here: write to us")


def standing_of(paid: Any) -> Standing:
    if paid is None:
        return Standing(None)
    outlook = Outlook.CHANGES if paid.scheduled_tier is not None else Outlook.CONTINUES
    return Standing(SubscriptionStatus(paid.status), Outlook.ENDS if paid.cancel_at_period_end else outlook)


def offer_of(paid: Any) -> Offer:
    return Offer(Tier(paid.tier), Interval(paid.billing_interval))


def _scheduled(paid: Any) -> Offer | None:
    if paid is None or paid.scheduled_tier is None:
        return None
    return Offer(Tier(paid.scheduled_tier), Interval(paid.scheduled_interval))


def _price(plans: Mapping[Tier, Plan], wanted: Offer) -> Money | None:
    price = plans[wanted.tier].price(wanted.interval)
    if price is None and wanted.tier is not Tier.FREE:
        raise NotForSale(wanted.tier, wanted.interval)
    return price
