"""Which of the provider's objects does an event tell us to look at? One table: type -> objects.

An event's payload is a hint: nothing but ids is read of it. What happened is what the objects say when they
are looked up, so that an event may come late, twice, in any order, or in another version of the API.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.settlement import Kind, Target
from app.domain.webhooks import Event

TargetsOf = Callable[[Event], Sequence[Target]]
Telling = Callable[[AsyncConnection, Event, datetime], Awaitable[None]]


@dataclass(frozen=True)
class Handling:
    """``tell``: what an event says beyond the state of its objects, such as that a trial ends soon.

    It writes in the transaction in which the event is marked processed. A replay tells again, and several
    events may tell the same, so that a fact needs a key of its own (``outbox.add(..., key=...)``).
    """

    targets: TargetsOf
    tell: Telling | None = None


def the_payment(event: Event) -> Sequence[Target]:
    """A payment intent."""
    return _targets((Kind.PAYMENT, event.object_id))


def its_payment(event: Event) -> Sequence[Target]:
    """What belongs to a payment: a charge, a refund, a dispute."""
    return _targets((Kind.PAYMENT, event.object.get("payment_intent")))


def the_session(event: Event) -> Sequence[Target]:
    """A checkout session, with what it has led to so far."""
    session = event.object
    return _targets(
        (Kind.CUSTOMER, session.get("customer")),
        (Kind.SUBSCRIPTION, session.get("subscription")),
        (Kind.INVOICE, session.get("invoice")),
        (Kind.PAYMENT, session.get("payment_intent")),
    )


def the_subscription(event: Event) -> Sequence[Target]:
    return _targets((Kind.SUBSCRIPTION, event.object_id))


def its_subscription(event: Event) -> Sequence[Target]:
    """What belongs to a subscription: a schedule; one that was released names it in another place."""
    schedule = event.object
    return _targets(
        (Kind.SUBSCRIPTION, schedule.get("subscription") or schedule.get("released_subscription"))
    )


def the_invoice(event: Event) -> Sequence[Target]:
    """After its subscription, which it refers to. One that is only to come cannot be looked up yet."""
    invoice_id = event.object_id if event.type != "invoice.upcoming" else None
    details = (event.object.get("parent") or {}).get("subscription_details") or {}
    return _targets((Kind.SUBSCRIPTION, details.get("subscription")), (Kind.INVOICE, invoice_id))


def the_customer(event: Event) -> Sequence[Target]:
    return _targets((Kind.CUSTOMER, event.object_id))


def its_customer(event: Event) -> Sequence[Target]:
    """What belongs to a customer: a payment method, a setup intent; or what belonged to one before."""
    return _targets((Kind.CUSTOMER, event.object.get("customer") or event.earlier.get("customer")))


def the_transfer(event: Event) -> Sequence[Target]:
    return _targets((Kind.TRANSFER, event.object_id))


def the_account(event: Event) -> Sequence[Target]:
    return _targets((Kind.ACCOUNT, event.object_id))


def _targets(*named: tuple[Kind, Any]) -> Sequence[Target]:
    """An id may be given as the object itself, or not at all."""
    ids = [(kind, given.get("id") if isinstance(given, Mapping) else given) for kind, given in named]
    return [Target(kind, given) for kind, given in ids if isinstance(given, str)]


HANDLINGS: Mapping[str, Handling] = MappingProxyType(
    {
        "payment_intent.succeeded": Handling(the_payment),
        "payment_intent.payment_failed": Handling(the_payment),
        "payment_intent.canceled": Handling(the_payment),
        "payment_intent.processing": Handling(the_payment),
        "payment_intent.requires_action": Handling(the_payment),
        "charge.refunded": Handling(its_payment),
        "charge.dispute.*": Handling(its_payment),
        "refund.*": Handling(its_payment),
        "checkout.session.*": Handling(the_session),
        "customer.subscription.created": Handling(the_subscription),
        "customer.subscription.updated": Handling(the_subscription),
        "customer.subscription.deleted": Handling(the_subscription),
        "customer.subscription.paused": Handling(the_subscription),
        "customer.subscription.resumed": Handling(the_subscription),
        "customer.subscription.pending_update_applied": Handling(the_subscription),
        "customer.subscription.pending_update_expired": Handling(the_subscription),
        "customer.subscription.trial_will_end": Handling(the_subscription),
        "subscription_schedule.*": Handling(its_subscription),
        "invoice.created": Handling(the_invoice),
        "invoice.finalized": Handling(the_invoice),
        "invoice.deleted": Handling(the_invoice),
        "invoice.updated": Handling(the_invoice),
        "invoice.paid": Handling(the_invoice),
        "invoice.payment_failed": Handling(the_invoice),
        "invoice.payment_action_required": Handling(the_invoice),
        "invoice.voided": Handling(the_invoice),
        "invoice.marked_uncollectible": Handling(the_invoice),
        "invoice.upcoming": Handling(the_invoice),
        "payment_method.*": Handling(its_customer),
        "setup_intent.succeeded": Handling(its_customer),
        "customer.updated": Handling(the_customer),
        "customer.deleted": Handling(the_customer),
        "transfer.created": Handling(the_transfer),
        "transfer.updated": Handling(the_transfer),
        "transfer.reversed": Handling(the_transfer),
        "account.updated": Handling(the_account),
    }
)
"""By the event's type or its family (``refund.*``). Types without a line are stored, counted and ignored."""


def line_of(event_type: str) -> str | None:
    """The table's line for a type: its own, else its family's; None where there is none."""
    family = f"{event_type.rpartition('.')[0]}.*"
    return next((line for line in (event_type, family) if line in HANDLINGS), None)
