"""What the provider is asked for to change, end or keep a running subscription.

Each looks at how the subscription stands and asks only for what is missing, so that a repetition after any
step goes on where the one before it broke off.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from app.db.rows import Row
from app.domain.plans import Interval, Tier
from app.domain.subscription_states import Action
from app.domain.subscriptions import OVER, Offer, SubscriptionStatus
from app.ports.provider import Object, ProviderRefused
from app.settlement import upgrades
from app.settlement.prices import ensure_price
from app.settlement.subscription_news import plan_item
from app.settlement.subscription_start import withdraw
from app.settlement.tools import Tools


async def change(tools: Tools, change: Row) -> Mapping[str, Any]:
    """Raises Declined, ProviderRefused, ProviderError."""
    await upgrades.withdraw(tools, change)
    subscription_id = change.details["subscription"]
    told = await tools.provider.subscriptions.get(subscription_id)
    if told is None or (told["status"] in OVER and change.details["action"] != Action.CANCEL_NOW):
        raise ProviderRefused("The subscription is over.", code="subscription_over")
    if change.details["action"] == Action.UPGRADE:
        return await _upgrade(tools, change, told)
    await CALLS[Action(change.details["action"])](tools, change, told)
    return {}


async def _upgrade(tools: Tools, change: Row, told: Object) -> Mapping[str, Any]:
    """What was scheduled, and that it ends, is given up only when it is paid."""
    if told["status"] == SubscriptionStatus.TRIALING:
        await _set_price_on_trial(tools, change, told)
    elif waits := await upgrades.ask(tools, change, told, await _price_of(tools, change)):
        return waits
    else:
        await _keep(tools, change, told)
    await _release(tools, change, told)
    return {}


async def _set_price_on_trial(tools: Tools, change: Row, told: Object) -> None:
    item, price_id = plan_item(told), await _price_of(tools, change)
    params: dict[str, Any] = {
        "items": [{"id": item["id"], "price": price_id}],
        "proration_behavior": "none",
    }
    if told["cancel_at_period_end"] or told["cancel_at"]:
        params |= _kept(told)
    if item["price"]["id"] != price_id:
        await tools.provider.subscriptions.change(told["id"], params, key=f"tier-change-{change.id}")


async def _downgrade(tools: Tools, change: Row, told: Object) -> None:
    """At the end of the period, by a schedule; during a trial at once, for nothing was paid."""
    if told["status"] == SubscriptionStatus.TRIALING:
        await _release(tools, change, told)
        await _set_price_on_trial(tools, change, told)
        return
    await _keep(tools, change, told)
    try:
        await _schedule(tools, change, told)
    except ProviderRefused:
        await _end_again(tools, change)
        raise


async def _schedule(tools: Tools, change: Row, told: Object) -> None:
    schedule = told["schedule"] or await tools.provider.subscription_schedules.create(
        {"from_subscription": told["id"]}, key=f"tier-change-{change.id}-schedule"
    )
    begins = schedule["current_phase"]["start_date"]
    phases = _phases(change, told, await _price_of(tools, change), begins=begins)
    await tools.provider.subscription_schedules.change(
        schedule["id"], {"phases": phases, "end_behavior": "release"}, key=f"tier-change-{change.id}-phases"
    )


async def _end_again(tools: Tools, change: Row) -> None:
    """What was cancelled stays so where another plan cannot follow."""
    told = await tools.provider.subscriptions.get(change.details["subscription"])
    if change.details.get("ends") and told is not None and told["status"] not in OVER:
        await _release(tools, change, told)
        await tools.provider.subscriptions.change(
            told["id"], {"cancel_at_period_end": True}, key=f"tier-change-{change.id}-end-again"
        )


def _phases(change: Row, told: Object, price_id: str, *, begins: int) -> list[dict[str, Any]]:
    """The running period as it is, then one of the other plan, which goes on by itself.

    Several of a plan, and what else was agreed beside it, stay: an upgrade and the quote leave them as well.
    """
    plan, terms = plan_item(told), _terms(told)
    running = {item["id"]: _as_is(item) for item in told["items"]["data"]}
    following = {**running, plan["id"]: {**_as_is(plan), "price": price_id}}
    return [
        {
            "items": [*running.values()],
            "start_date": begins,
            "end_date": plan["current_period_end"],
            "proration_behavior": "none",
            **terms,
        },
        {
            "items": [*following.values()],
            "duration": {"interval": change.billing_interval, "interval_count": 1},
            "proration_behavior": "none",
            **terms,
        },
    ]


def _as_is(item: Object) -> Mapping[str, Any]:
    return {"price": item["price"]["id"], "quantity": item["quantity"]}


def _terms(told: Object) -> Mapping[str, Any]:
    """What a phase that does not name it would end. By its id a discount keeps its own end.

    Without a discount of its own the subscription has its customer's, in every phase.
    """
    discounts = [{"discount": key} for key in told["discounts"]]
    rates = [rate["id"] for rate in told["default_tax_rates"]]
    named = {"discounts": discounts, "default_tax_rates": rates}
    return {name: given for name, given in named.items() if given}


async def _cancel(tools: Tools, change: Row, told: Object) -> None:
    await _release(tools, change, told)
    if not told["cancel_at_period_end"]:
        await tools.provider.subscriptions.change(
            told["id"], {"cancel_at_period_end": True}, key=f"tier-change-{change.id}"
        )


async def _cancel_now(tools: Tools, change: Row, told: Object) -> None:
    if told["status"] == SubscriptionStatus.INCOMPLETE:
        await withdraw(tools, told["id"], key=f"tier-change-{change.id}")
    elif told["status"] not in OVER:
        await _release(tools, change, told)
        await tools.provider.subscriptions.cancel(told["id"], key=f"tier-change-{change.id}")


async def _resume(tools: Tools, change: Row, told: Object) -> None:
    await _release(tools, change, told)
    await _keep(tools, change, told)


async def _keep(tools: Tools, change: Row, told: Object) -> None:
    """Takes back that it ends."""
    if told["cancel_at_period_end"] or told["cancel_at"]:
        await tools.provider.subscriptions.change(
            told["id"], _kept(told), key=f"tier-change-{change.id}-keep"
        )


def _kept(told: Object) -> Mapping[str, Any]:
    return {"cancel_at_period_end": False} if told["cancel_at_period_end"] else {"cancel_at": ""}


async def _release(tools: Tools, change: Row, told: Object) -> None:
    """Takes back what was to follow."""
    if told["schedule"]:
        schedule_id = told["schedule"]["id"]
        await tools.provider.subscription_schedules.release(
            schedule_id, key=f"tier-change-{change.id}-release-{schedule_id}"
        )


async def _price_of(tools: Tools, change: Row) -> str:
    return await ensure_price(tools, Offer(Tier(change.tier), Interval(change.billing_interval)))


CALLS: Mapping[Action, Callable[[Tools, Row, Object], Awaitable[None]]] = MappingProxyType(
    {
        Action.DOWNGRADE: _downgrade,
        Action.CANCEL: _cancel,
        Action.CANCEL_NOW: _cancel_now,
        Action.RESUME: _resume,
    }
)
