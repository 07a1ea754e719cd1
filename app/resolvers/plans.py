"""Plans: as they are configured."""

from strawberry import Info

from app.context import Context
from app.schema.subscriptions import Plan


async def plans(info: Info[Context, None]) -> list[Plan]:
    return [Plan.of(plan) for plan in info.context.deps.plans.values()]
