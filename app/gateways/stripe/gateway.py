"""The connection to Stripe, or to a stand-in at another address; connects when it is first needed."""

import stripe

from app.gateways.stripe.accounts import Accounts
from app.gateways.stripe.charges import Charges
from app.gateways.stripe.customers import Customers
from app.gateways.stripe.disputes import Disputes
from app.gateways.stripe.history import History
from app.gateways.stripe.invoices import Invoices
from app.gateways.stripe.payment_intents import PaymentIntents
from app.gateways.stripe.payment_methods import PaymentMethods, SetupIntents
from app.gateways.stripe.prices import Prices
from app.gateways.stripe.refunds import Refunds
from app.gateways.stripe.subscriptions import Subscriptions, SubscriptionSchedules
from app.gateways.stripe.transfers import Transfers

TIMEOUT_SECONDS = 20
RETRIES = 2
"""Of drops, 500, 503 and 409, by the SDK and under one idempotency key; never of 429."""


class StripeGateway:
    def __init__(self, api_key: str, *, api_base: str = "", timeout: float = TIMEOUT_SECONDS) -> None:
        self._http = stripe.HTTPXClient(timeout=timeout)
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base.rstrip("/")} if api_base else None,
            max_network_retries=RETRIES,
            http_client=self._http,
        )
        self.livemode = not api_key.startswith(("sk_test_", "rk_test_"))
        self.api_version: str = stripe.api_version or ""
        nouns = self._client.v1
        self.accounts = Accounts(nouns)
        self.customers = Customers(nouns)
        self.payment_intents = PaymentIntents(nouns)
        self.charges = Charges(nouns)
        self.refunds = Refunds(nouns)
        self.disputes = Disputes(nouns)
        self.history = History(nouns)
        self.invoices = Invoices(nouns)
        self.payment_methods = PaymentMethods(nouns)
        self.prices = Prices(nouns)
        self.setup_intents = SetupIntents(nouns)
        self.subscription_schedules = SubscriptionSchedules(nouns)
        self.subscriptions = Subscriptions(nouns)
        self.transfers = Transfers(nouns)

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
