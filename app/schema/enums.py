"""The closed sets of the domain as GraphQL enums. Schema modules take them from here, so that each is declared first."""

import strawberry

from app.domain.api_keys import Role, Scope
from app.domain.plans import Resource, Tier
from app.domain.subscriptions import SubscriptionStatus

__all__ = ["Resource", "Role", "Scope", "SubscriptionStatus", "Tier"]

strawberry.enum(Resource, description="What a plan limits.")
strawberry.enum(Role, description="What an account is in the marketplace.")
strawberry.enum(Scope, name="ApiKeyScope", description="What a key may do.")
strawberry.enum(
    SubscriptionStatus, description="The states of a subscription, in the payment provider's terms."
)
strawberry.enum(Tier, description="The plans, by name.")
