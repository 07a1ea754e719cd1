"""Money, as the API shows it."""

import strawberry

from app.domain import money
from app.schema.scalars import BigInt


@strawberry.type(description="An amount in the currency's minor unit; never a float.")
class Money:
    amount_cents: BigInt = strawberry.field(description="The amount in minor units: cents, or yen for JPY.")
    currency: str = strawberry.field(description="ISO 4217 code, such as USD.")

    @strawberry.field(description="The amount for people, such as $29.00.")
    def formatted(self) -> str:
        return money.format_money(money.Money(self.amount_cents, self.currency))
