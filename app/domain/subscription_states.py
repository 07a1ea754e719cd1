"""The life of a subscription: what may be asked of it in which state, and what that means for the account.

Drawn in ``docs/subscriptions.md``. The provider moves a subscription from state to state, and we follow;
what an account asks is decided here before the provider is asked. ``None`` stands for no paid subscription.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.errors import Conflict, InvalidState
from app.domain.plans import Interval, Tier
from app.domain.subscriptions import LIVE, OVER, Offer, Outlook, SubscriptionStatus

_RUNNING = (SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE)
_STARTED = (
    SubscriptionStatus.INCOMPLETE,
    *LIVE,
    SubscriptionStatus.UNPAID,
    SubscriptionStatus.PAUSED,
)


class Action(StrEnum):
    """What an account asks."""

    START = "start"
    UPGRADE = "upgrade"
    """Now: the rest of the period is paid at once."""
    DOWNGRADE = "downgrade"
    """At the end of the period, which is paid; during a trial, at once."""
    CANCEL = "cancel"
    """At the end of the period."""
    CANCEL_NOW = "cancel_now"
    RESUME = "resume"
    """Takes back what would come at the end of the period."""


_MAY: Mapping[Action, tuple[SubscriptionStatus | None, ...]] = {
    Action.START: (None, SubscriptionStatus.INCOMPLETE, *OVER),
    Action.UPGRADE: _RUNNING,
    Action.DOWNGRADE: LIVE,
    Action.CANCEL: LIVE,
    Action.CANCEL_NOW: _STARTED,
    Action.RESUME: LIVE,
}
_DONE = {
    Action.START: "be started",
    Action.UPGRADE: "be upgraded until it runs and nothing of it is open",
    Action.DOWNGRADE: "be changed until it runs again",
    Action.CANCEL: "be cancelled at the end of its period",
    Action.CANCEL_NOW: "be cancelled",
    Action.RESUME: "be resumed",
}


@dataclass(frozen=True)
class Standing:
    """How an account's paid subscription stands; ``outlook`` matters while it is live."""

    status: SubscriptionStatus | None
    outlook: Outlook = Outlook.CONTINUES


def after(standing: Standing, action: Action) -> Outlook | None:
    """The outlook that the action leads to; None: it is over. Raises InvalidState.

    A start leads to a subscription that continues, whatever was before it.
    """
    if standing.status not in _MAY[action]:
        raise _refused(standing.status, action)
    if action is Action.CANCEL_NOW:
        return None
    if action is Action.CANCEL and standing.outlook is Outlook.ENDS:
        raise _refused("cancelled already", action)
    if action is Action.RESUME and standing.outlook is Outlook.CONTINUES:
        raise _refused("not about to change or to end", action)
    if action is Action.CANCEL:
        return Outlook.ENDS
    if action is Action.DOWNGRADE and standing.status is not SubscriptionStatus.TRIALING:
        return Outlook.CHANGES
    return Outlook.CONTINUES


def _refused(state: str | None, action: Action) -> InvalidState:
    if state is None:
        return InvalidState(what="The plan", state="free", action=_DONE[action])
    may_end_now = action is Action.CANCEL and state in _STARTED
    hint = ": cancel it at once, with atPeriodEnd: false" if may_end_now else ""
    return InvalidState(what="The subscription", state=state, action=_DONE[action] + hint)


def action_for(standing: Standing, *, current: Offer, wanted: Offer, scheduled: Offer | None) -> Action:
    """What a wish for another plan amounts to. Raises Conflict for the plan that is there already.

    A higher tier is an upgrade, and so is the same one by the year; to the free plan leads cancelling.
    """
    if wanted.tier is Tier.FREE:
        if standing.status not in _STARTED:
            raise Conflict("You have this plan already.", field="tier")
        return Action.CANCEL
    if standing.status not in _STARTED or standing.status is SubscriptionStatus.INCOMPLETE:
        return Action.START
    if wanted == scheduled and standing.outlook is Outlook.CHANGES:
        raise Conflict("This plan follows already at the end of the period.", field="tier")
    if wanted == current and standing.status in LIVE:
        if standing.outlook is Outlook.CONTINUES:
            raise Conflict("You have this plan already.", field="tier")
        return Action.RESUME
    return Action.UPGRADE if _rank(wanted) > _rank(current) else Action.DOWNGRADE


def _rank(offer: Offer) -> tuple[int, int]:
    return list(Tier).index(offer.tier), list(Interval).index(offer.interval)


class Turn(StrEnum):
    """What news of a subscription's state mean for the account's tier."""

    BEGINS = "begins"
    """It gives the tier from now on: the free row ends."""
    STAYS = "stays"
    """Either way: as before."""
    STOPS = "stops"
    """It gives none any more: a free row begins."""


def turn(before: SubscriptionStatus | None, told: SubscriptionStatus) -> Turn:
    """For every pair: news may skip states that were never heard of."""
    was, is_now = before in LIVE, told in LIVE
    if was is is_now:
        return Turn.STAYS
    return Turn.BEGINS if is_now else Turn.STOPS
