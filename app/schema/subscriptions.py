"""Plans and subscriptions."""

from datetime import datetime
from typing import Any

import strawberry

from app.domain import money, plans
from app.domain.periods import monthly_period
from app.schema.enums import Interval, Resource, SubscriptionStatus, Tier
from app.schema.money import Money
from app.schema.node import Node
from app.schema.scalars import BigInt


@strawberry.type(description="One limit of a plan.")
class PlanLimit:
    resource: Resource = strawberry.field(description="What is limited.")
    limit: BigInt | None = strawberry.field(description="A month's, or at a time; null is unlimited.")


@strawberry.type(description="What can be subscribed to.")
class Plan:
    tier: Tier = strawberry.field(description="The plan's tier.")
    name: str = strawberry.field(description="For people.")
    description: str = strawberry.field(description="What it is good for.")
    monthly_price: Money | None = strawberry.field(
        description="Before taxes; null where it is agreed with the customer."
    )
    yearly_price: Money | None = strawberry.field(
        description="Before taxes; null where it cannot be had by the year."
    )
    trial_days: int = strawberry.field(description="Days that cost nothing, once for each account.")
    limits: list[PlanLimit] = strawberry.field(description="One for every resource.")

    @classmethod
    def of(cls, plan: plans.Plan) -> "Plan":
        return cls(
            tier=plan.tier,
            name=plan.name,
            description=plan.description,
            monthly_price=_money(plan.monthly_price),
            yearly_price=_money(plan.yearly_price),
            trial_days=plan.trial_days,
            limits=[
                PlanLimit(resource=resource, limit=None if limit is None else BigInt(limit))
                for resource, limit in plan.limits.items()
            ],
        )


def _money(price: money.Money | None) -> Money | None:
    return Money(amount_cents=BigInt(price.amount_cents), currency=price.currency) if price else None


@strawberry.type(description="What an account is subscribed to.")
class Subscription(Node):
    tier: Tier = strawberry.field(description="The plan's tier.")
    interval: Interval = strawberry.field(description="How often it is paid.")
    price: Money | None = strawberry.field(
        description="What an interval costs, before taxes; null for what costs nothing, or by tiers."
    )
    status: SubscriptionStatus = strawberry.field(description="Where it stands.")
    current_period_start: datetime = strawberry.field(description="The first instant of the running period.")
    current_period_end: datetime = strawberry.field(description="The first instant after it.")
    cancel_at_period_end: bool = strawberry.field(description="Whether it ends with the running period.")
    scheduled_tier: Tier | None = strawberry.field(
        description="The plan that follows at the end of the period; null where none was chosen."
    )
    scheduled_interval: Interval | None = strawberry.field(description="How often that one will be paid.")
    trial_end: datetime | None = strawberry.field(description="When the trial ends, or ended.")
    past_due_since: datetime | None = strawberry.field(
        description="Since when a payment is missing; the plan stays while it is tried again."
    )
    created_at: datetime = strawberry.field(description="When it began.")
    ended_at: datetime | None = strawberry.field(description="When it ended.")

    @classmethod
    def at(cls, row: Any, now: datetime) -> "Subscription":
        """The free plan's periods turn by the calendar: nobody renews them."""
        if row.stripe_subscription_id is not None:
            return cls.from_row(row)
        period = monthly_period(anchor=row.anchor_at, now=now)
        return cls.from_row(row, current_period_start=period.start, current_period_end=period.end)

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "Subscription":
        following = row.scheduled_tier is not None
        return super().from_row(
            row,
            tier=Tier(row.tier),
            interval=Interval(row.billing_interval),
            price=Money(amount_cents=BigInt(row.price_cents), currency=row.currency)
            if row.price_cents is not None
            else None,
            status=SubscriptionStatus(row.status),
            scheduled_tier=Tier(row.scheduled_tier) if following else None,
            scheduled_interval=Interval(row.scheduled_interval) if following else None,
            **given,
        )
