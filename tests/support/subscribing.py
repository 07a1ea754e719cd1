"""An account that subscribes: through the API, or behind its back at the provider."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import stripe
from sqlalchemy import select

from app.db.models import Subscription, User
from app.domain.plans import Interval, Tier
from app.domain.settlement import Kind, Target
from app.domain.subscriptions import Offer
from app.schema.node import split_id
from app.settlement.customers import ensure_customer
from app.settlement.prices import ensure_price
from app.settlement.syncing import sync
from tests.support.clients import Account, sign_up
from tests.support.payments import Shop


@dataclass
class Subscriber:
    """``customer`` is the account at the provider, ``client`` the provider's own SDK."""

    shop: Shop
    account: Account
    user_id: UUID
    customer: str
    client: stripe.StripeClient

    async def sync(self, subscription_id: str) -> None:
        await sync(self.shop.api.deps.tools, Target(Kind.SUBSCRIPTION, subscription_id))

    async def price(self, tier: Tier = Tier.PRO, interval: Interval = Interval.MONTH) -> str:
        return await ensure_price(self.shop.api.deps.tools, Offer(tier, interval))

    def save_card(self, card: str = "pm_card_visa", *, default: bool = True) -> str:
        """The payment method's id."""
        method = self.client.v1.payment_methods.attach(card, {"customer": self.customer})
        if default:
            settings: Any = {"default_payment_method": method.id}
            self.client.v1.customers.update(self.customer, {"invoice_settings": settings})
        return method.id

    async def rows(self) -> list[Any]:
        """The account's subscriptions, in the order in which they were written down."""
        statement = select(*Subscription.__table__.columns).where(Subscription.user_id == self.user_id)
        async with self.shop.api.deps.database.read() as connection:
            return list((await connection.execute(statement.order_by(Subscription.id))).all())

    async def tier(self) -> str:
        async with self.shop.api.deps.database.read() as connection:
            return str(
                (await connection.execute(select(User.tier).where(User.id == self.user_id))).scalar_one()
            )


async def make_subscriber(shop: Shop) -> Subscriber:
    account = await sign_up(shop.api)
    _, user_id = split_id(account.id) or ("", UUID(int=0))
    customer = await ensure_customer(shop.api.deps.tools, user_id)
    return Subscriber(shop, account, user_id, customer, shop.stand_in.client())
