"""An account that subscribes: through the API, or behind its back at the provider."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import stripe
from sqlalchemy import select

from app.bootstrap import Settings
from app.db.models import Subscription, User
from app.domain.plans import Interval, Tier
from app.domain.settlement import Kind, Target
from app.domain.subscriptions import Offer
from app.schema.node import split_id
from app.settlement.customers import ensure_customer
from app.settlement.prices import ensure_price
from app.settlement.syncing import sync
from app.worker import Worker
from tests.support.clients import LOGIN, PASSWORD, Account, Api, Clock, make_key, served, sign_up
from tests.support.payments import Shop
from tests.support.stand_in import StandIn

SHOWN = """subscription { tier interval status price { formatted } cancelAtPeriodEnd scheduledTier
    scheduledInterval currentPeriodEnd trialEnd pastDueSince }"""
PROBLEMS = (
    "errors { code message path ... on PaymentDeclined { declineCode } ... on PaymentRefused { reason } }"
)
PREVIEW = f"""mutation($input: PreviewTierChangeInput!) {{ previewTierChange(input: $input) {{
    quote {{ id tier interval expiresAt nextBillingAt trialEnd proration {{ amountCents }}
        dueNow {{ amountCents currency }} dueNext {{ amountCents }}
        lines {{ description amount {{ amountCents }} periodStart periodEnd proration }} }} {PROBLEMS} }} }}"""
CHANGE = f"""mutation($input: ChangeTierInput!) {{ changeTier(input: $input) {{
    {SHOWN} clientSecret setupClientSecret {PROBLEMS} }} }}"""
CANCEL = f"""mutation($input: CancelSubscriptionInput!) {{ cancelSubscription(input: $input) {{
    {SHOWN} {PROBLEMS} }} }}"""
RESUME = f"""mutation($input: ResumeSubscriptionInput!) {{ resumeSubscription(input: $input) {{
    {SHOWN} {PROBLEMS} }} }}"""
SEEN = f"{{ viewer {{ {SHOWN} }} }}"


METHODS = (
    "{ viewer { paymentMethods { edges { node { id kind brand last4 expMonth expYear isDefault } } } } }"
)


def new_key() -> str:
    return uuid4().hex


@dataclass
class Subscriber:
    """``customer`` is the account at the provider, ``client`` the provider's own SDK.

    ``api`` sends a key, which lasts longer than a session's token.
    """

    shop: Shop
    account: Account
    api: Api
    user_id: UUID
    customer: str
    client: stripe.StripeClient
    read: set[str] = field(default_factory=set)

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

    async def preview(self, tier: str = "PRO", interval: str | None = None) -> Any:
        return (await self.api(PREVIEW, input={"tier": tier, "interval": interval})).payload()

    async def change(
        self,
        tier: str = "PRO",
        interval: str | None = None,
        *,
        key: str | None = None,
        quote: str | None = None,
    ) -> Any:
        """By a new quote, and a new key, unless they are given."""
        if quote is None:
            previewed = await self.preview(tier, interval)
            if previewed["errors"]:
                return previewed
            quote = previewed["quote"]["id"]
        given = {"tier": tier, "interval": interval, "quoteId": quote, "idempotencyKey": key or new_key()}
        return (await self.api(CHANGE, input=given)).payload()

    async def cancel(self, *, at_period_end: bool = True, key: str | None = None) -> Any:
        given = {"atPeriodEnd": at_period_end, "idempotencyKey": key or new_key()}
        return (await self.api(CANCEL, input=given)).payload()

    async def resume(self, *, key: str | None = None) -> Any:
        return (await self.api(RESUME, input={"idempotencyKey": key or new_key()})).payload()

    async def seen(self) -> Any:
        """The live subscription, as the account sees it."""
        return (await self.api(SEEN)).payload()["subscription"]

    async def hear(self) -> list[str]:
        """Every event is delivered and everything done that follows: the subjects of the mails that came."""
        worker = Worker(self.shop.api.deps, chores={})
        await worker.work_once()
        while await self.shop.deliver() or await worker.work_once():
            while await worker.work_once():
                pass
        return self.mails()

    def mails(self) -> list[str]:
        """The subjects of the mails to the account since the last time, but receipts."""
        folder = self.shop.api.deps.mailer._folder  # type: ignore[attr-defined]  # the one for developing
        mails = {
            path.name: message_from_bytes(path.read_bytes(), policy=default) for path in folder.glob("*")
        }
        new = {name: mail for name, mail in mails.items() if name not in self.read}
        self.read |= new.keys()
        subjects = [str(mail["Subject"]) for mail in new.values() if mail["To"] == self.account.email]
        return sorted(subject for subject in subjects if not subject.startswith(("Confirm", "Your receipt")))

    async def methods(self) -> list[Any]:
        """The ways to pay, as the account sees them, the newest first."""
        edges = (await self.api(METHODS)).payload()["paymentMethods"]["edges"]
        return [edge["node"] for edge in edges]

    async def session(self, document: str, **given: Any) -> Any:
        """By a session that is signed in for it, which some mutations ask for."""
        signed = (
            await self.shop.api(LOGIN, input={"email": self.account.email, "password": PASSWORD})
        ).payload()
        return (await self.shop.api.as_(signed["accessToken"])(document, input=given)).payload()

    async def bring_up_to_date(self) -> None:
        """As if every event had arrived."""
        for row in await self.rows():
            if row.stripe_subscription_id:
                await self.sync(row.stripe_subscription_id)

    def subscriptions(self) -> list[stripe.Subscription]:
        """At the provider, the newest first."""
        return list(self.client.v1.subscriptions.list({"customer": self.customer, "status": "all"}).data)

    def invoices(self) -> list[stripe.Invoice]:
        """At the provider, the newest first."""
        return list(self.client.v1.invoices.list({"customer": self.customer}).data)

    def pay(self, client_secret: str, action: str = "pay", **given: Any) -> Any:
        """What the payer does with a client secret."""
        return self.shop.act(client_secret.partition("_secret_")[0], action, **given)

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
    api = shop.api.as_(await make_key(account, "READ", "PURCHASE"))
    return Subscriber(shop, account, api, user_id, customer, shop.stand_in.client())


PLANS = """
[pro]
trial_days = {trial_days}
[enterprise]
monthly_price = {{ amount_cents = 9900, currency = "USD" }}
yearly_price = {{ amount_cents = 99000, currency = "USD" }}
"""


@pytest.fixture
def trial_days() -> int:
    """Of the plan PRO; override it in a test module or by parametrizing."""
    return 0


@pytest.fixture
async def subscriber(
    paying_settings: Settings, stand_in: StandIn, clock: Clock, tmp_path: Path, trial_days: int
) -> AsyncIterator[Subscriber]:
    """In a shop where every plan has prices by the month and by the year."""
    plans = tmp_path / "plans.toml"
    plans.write_text(PLANS.format(trial_days=trial_days))
    async with served(paying_settings.model_copy(update={"plans_file": plans}), clock) as api:
        yield await make_subscriber(Shop(api, stand_in))
