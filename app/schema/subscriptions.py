"""Plans and subscriptions."""

from datetime import datetime
from typing import Any

import strawberry

from app.domain import plans
from app.domain.periods import monthly_period
from app.schema.enums import Resource, SubscriptionStatus, Tier
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
    monthly_price: Money | None = strawberry.field(description="Null where it is agreed with the customer.")
    limits: list[PlanLimit] = strawberry.field(description="One for every resource.")

    @classmethod
    def of(cls, plan: plans.Plan) -> "Plan":
        price = plan.monthly_price
        return cls(
            tier=plan.tier,
            name=plan.name,
            description=plan.description,
            monthly_price=Money(amount_cents=BigInt(price.amount_cents), currency=price.currency)
            if price
            else None,
            limits=[
                PlanLimit(resource=resource, limit=None if limit is None else BigInt(limit))
                for resource, limit in plan.limits.items()
            ],
        )


@strawberry.type(description="What an account is subscribed to.")
class Subscription(Node):
    tier: Tier = strawberry.field(description="The plan's tier.")
    status: SubscriptionStatus = strawberry.field(description="Where it stands.")
    current_period_start: datetime = strawberry.field(description="The first instant of the running period.")
    current_period_end: datetime = strawberry.field(description="The first instant after it.")
    cancel_at_period_end: bool = strawberry.field(description="Whether it ends with the running period.")
    created_at: datetime = strawberry.field(description="When it began.")

    @classmethod
    def at(cls, row: Any, now: datetime) -> "Subscription":
        """The free plan's periods turn by the calendar: nobody renews them."""
        period = monthly_period(anchor=row.anchor_at, now=now)
        return cls.from_row(row, current_period_start=period.start, current_period_end=period.end)

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "Subscription":
        return super().from_row(row, tier=Tier(row.tier), status=SubscriptionStatus(row.status), **given)
