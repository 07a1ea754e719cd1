"""What one of the provider's subscriptions says, read into the terms of our row."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import plan_prices
from app.db.rows import Row
from app.domain.plans import Interval, Tier
from app.domain.subscriptions import OVER, Offer, SubscriptionStatus
from app.ports.provider import Object


async def values_of(
    connection: AsyncConnection, told: Object, *, row: Row | None, now: datetime
) -> dict[str, Any] | None:
    """Columns of ``subscriptions``, but those that depend on others of the account; None: no plan of ours.

    A price that was not made here says in its ``metadata.tier`` what it gives: that is how terms agreed with
    a customer are set up at the provider. One that says nothing leaves the plan of ``row``, our row of it.
    """
    item = plan_item(told)
    offer = await _offer_of(connection, item["price"], row)
    if offer is None:
        return None
    status, following = SubscriptionStatus(told["status"]), await _following(connection, told, item)
    return {
        "tier": offer.tier,
        "billing_interval": offer.interval,
        "status": status,
        "current_period_start": moment(item["current_period_start"]),
        "current_period_end": moment(item["current_period_end"]),
        "cancel_at_period_end": bool(told["cancel_at_period_end"] or told["cancel_at"])
        and status not in OVER,
        "price_cents": _price_of(item),
        "currency": item["price"]["currency"].upper(),
        "trial_end": moment(told["trial_end"]),
        "past_due_since": _behind_since(told, now=now) if status is SubscriptionStatus.PAST_DUE else None,
        "scheduled_tier": following.tier if following not in (None, offer) else None,
        "scheduled_interval": following.interval if following not in (None, offer) else None,
        "stripe_subscription_id": told["id"],
        "stripe_schedule_id": told["schedule"]["id"] if told["schedule"] else None,
        "stripe_default_method_id": None if status in OVER else _id(told["default_payment_method"]),
        "created_at": moment(told["created"]),
        "ended_at": (moment(told["ended_at"]) or now) if status in OVER else None,
    }


def plan_item(told: Object) -> Object:
    """What gives the tier: the provider's order is no rule where something else was agreed beside it."""
    items: list[Object] = told["items"]["data"]
    return next((each for each in items if _tier_of(each["price"]) is not None), items[0])


def _tier_of(price: Object) -> Tier | None:
    named = (price.get("metadata") or {}).get("tier")
    return Tier(named) if named in set(Tier) else None


def _price_of(item: Object) -> int | None:
    """None for tiers and fractions of a minor unit: only an invoice says what they come to."""
    each = item["price"]["unit_amount"]
    return None if each is None else int(each) * int(item.get("quantity", 1))


async def _offer_of(connection: AsyncConnection, price: Object, row: Row | None) -> Offer | None:
    known = await plan_prices.offer_of(connection, price["id"])
    if known is not None:
        return known
    tier, rhythm = _tier_of(price), price["recurring"]
    if tier is not None and rhythm["interval"] in set(Interval) and rhythm["interval_count"] == 1:
        return Offer(tier, Interval(rhythm["interval"]))
    return Offer(Tier(row.tier), Interval(row.billing_interval)) if row else None


async def _following(connection: AsyncConnection, told: Object, item: Object) -> Offer | None:
    """The plan of the schedule's phase that begins when the running period ends, or later."""
    for phase in (told["schedule"] or {}).get("phases", ()):
        if phase["start_date"] >= item["current_period_end"]:
            offers = [await plan_prices.offer_of(connection, _id(each["price"])) for each in phase["items"]]
            return next((offer for offer in offers if offer is not None), None)
    return None


def _behind_since(told: Object, *, now: datetime) -> datetime:
    """The first attempt is made when the invoice becomes final."""
    invoice = told["latest_invoice"] or {}
    return moment((invoice.get("status_transitions") or {}).get("finalized_at")) or now


def moment(seconds: Any) -> Any:
    """A second of the provider's as an aware moment; None stays None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _id(given: Any) -> Any:
    return given["id"] if isinstance(given, Mapping) else given
