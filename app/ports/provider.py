"""What services and settlement see of the payment provider: plain dictionaries, errors of one family.

A call that may have happened although no answer came raises ``OutcomeUnknown``: that is never a refusal.
Whoever made it keeps the request's row open, and the sweeper settles it under the same idempotency key.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

Object = Mapping[str, Any]
"""One of the provider's objects, as its API of the pinned version gives it; amounts are minor units."""
Noun = Literal[
    "customers",
    "disputes",
    "events",
    "invoices",
    "payment_intents",
    "refunds",
    "subscriptions",
    "transfers",
]


class ProviderError(Exception):
    """Why the provider did not do what it was asked."""


class OutcomeUnknown(ProviderError):
    """No answer, or one that says nothing of the effect: it may have happened or not."""


class ProviderBusy(ProviderError):
    """It refused before doing anything (too many requests, the same key in flight): try later."""


class ProviderRefused(ProviderError):
    """It will not do that: asking again changes nothing. ``code`` and ``param`` are the provider's."""

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.code, self.param = code, param


class Declined(ProviderRefused):
    """The payer's bank refused; ``payment`` is the intent as it stands afterwards, where it is told."""

    def __init__(self, message: str, *, code: str | None, payment: Object | None = None) -> None:
        super().__init__(message, code=code)
        self.payment = payment


class Customers(Protocol):
    async def create(self, *, user_id: str, key: str) -> Object:
        """Without what may change, so that a repetition is the same request: ``change`` tells the rest."""
        ...

    async def get(self, customer_id: str) -> Object | None:
        """None where it was deleted or never was."""
        ...

    async def change(self, customer_id: str, params: Mapping[str, Any]) -> Object: ...


class PaymentIntents(Protocol):
    async def create(self, params: Mapping[str, Any], *, key: str) -> Object: ...
    async def get(self, intent_id: str) -> Object | None:
        """With ``latest_charge`` expanded."""
        ...

    async def confirm(self, intent_id: str, params: Mapping[str, Any], *, key: str) -> Object: ...
    async def cancel(self, intent_id: str, *, key: str) -> Object: ...


class Charges(Protocol):
    async def of_intent(self, intent_id: str) -> Sequence[Object]:
        """All of them, the newest first, each with ``refunds``: a plain list of all of its refunds."""
        ...


class Refunds(Protocol):
    async def create(self, params: Mapping[str, Any], *, key: str) -> Object: ...


class Disputes(Protocol):
    async def of_intent(self, intent_id: str) -> Sequence[Object]: ...


class Prices(Protocol):
    async def create(self, params: Mapping[str, Any], *, key: str) -> Object: ...
    async def by_lookup_key(self, lookup_key: str) -> Object | None:
        """The price that bears our key."""
        ...


class Subscriptions(Protocol):
    async def create(self, params: Mapping[str, Any], *, key: str) -> Object: ...
    async def get(self, subscription_id: str) -> Object | None:
        """With its schedule, its latest invoice and what the payer needs to pay it expanded."""
        ...

    async def of_customer(self, customer_id: str) -> Sequence[Object]:
        """All of them, those that are over included, the newest first."""
        ...

    async def change(self, subscription_id: str, params: Mapping[str, Any], *, key: str) -> Object: ...
    async def cancel(self, subscription_id: str, *, key: str) -> Object:
        """At once; nothing is paid back."""
        ...


class SubscriptionSchedules(Protocol):
    async def create(self, params: Mapping[str, Any], *, key: str) -> Object: ...
    async def change(self, schedule_id: str, params: Mapping[str, Any], *, key: str) -> Object: ...
    async def release(self, schedule_id: str, *, key: str) -> Object:
        """The subscription goes on as it is."""
        ...


class Invoices(Protocol):
    async def get(self, invoice_id: str) -> Object | None:
        """With all of its lines, and the intents of its payments expanded."""
        ...

    async def drafts_of(self, customer_id: str) -> Sequence[Object]: ...
    async def create(self, params: Mapping[str, Any], *, key: str) -> Object: ...
    async def add_item(self, params: Mapping[str, Any], *, key: str) -> Object: ...
    async def finalize(self, invoice_id: str, *, key: str) -> Object:
        """It gets its number and can be paid; its lines cannot change any more."""
        ...

    async def delete(self, invoice_id: str) -> None:
        """Of a draft; any other is refused."""
        ...

    async def preview(self, params: Mapping[str, Any]) -> Object:
        """The invoice that a change would make, with all of its lines; nothing is changed."""
        ...

    async def pay(self, invoice_id: str, params: Mapping[str, Any], *, key: str) -> Object: ...
    async def void(self, invoice_id: str, *, key: str) -> Object:
        """Refused for what is paid: of voiding and paying one happens."""
        ...


class PaymentMethods(Protocol):
    async def get(self, method_id: str) -> Object | None: ...
    async def of_customer(self, customer_id: str) -> Sequence[Object]:
        """Those that are kept, the newest first."""
        ...

    async def detach(self, method_id: str, *, key: str) -> Object: ...


class SetupIntents(Protocol):
    async def create(self, params: Mapping[str, Any], *, key: str) -> Object: ...


class History(Protocol):
    def pages(self, noun: Noun, *, since: datetime) -> AsyncIterator[Sequence[Object]]:
        """Everything of that noun that was made from ``since`` on, the newest first; of events 30 days."""
        ...


class Accounts(Protocol):
    """Of those who are paid."""

    async def create(self, *, author_id: str, key: str) -> Object: ...
    async def get(self, account_id: str) -> Object | None: ...
    async def link(self, account_id: str, *, return_url: str, refresh_url: str) -> Object:
        """A page of the provider's, good for minutes, where the owner tells what is asked; with ``url``."""
        ...


class Transfers(Protocol):
    async def create(self, params: Mapping[str, Any], *, key: str) -> Object: ...
    async def get(self, transfer_id: str) -> Object | None: ...
    async def of_group(self, transfer_group: str) -> Object | None:
        """The newest that was made under this name."""
        ...


class PaymentProvider(Protocol):
    """One group a noun of the provider's."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def transfers(self) -> Transfers: ...
    @property
    def customers(self) -> Customers: ...
    @property
    def payment_intents(self) -> PaymentIntents: ...
    @property
    def charges(self) -> Charges: ...
    @property
    def refunds(self) -> Refunds: ...
    @property
    def disputes(self) -> Disputes: ...
    @property
    def history(self) -> History: ...
    @property
    def invoices(self) -> Invoices: ...
    @property
    def payment_methods(self) -> PaymentMethods: ...
    @property
    def prices(self) -> Prices: ...
    @property
    def setup_intents(self) -> SetupIntents: ...
    @property
    def subscription_schedules(self) -> SubscriptionSchedules: ...
    @property
    def subscriptions(self) -> Subscriptions: ...
    @property
    def livemode(self) -> bool:
        """Whether the key moves real money; events of the other kind are not ours."""
        ...

    @property
    def api_version(self) -> str: ...
    async def close(self) -> None: ...
