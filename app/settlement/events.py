"""Which of the provider's objects does an event tell us to look at? One table: type -> objects.

An event's payload is a hint: nothing but ids is read of it. What happened is what the objects say when they
are looked up, so that an event may come late, twice, in any order, or in another version of the API.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from app.domain.settlement import Kind, Target
from app.domain.webhooks import Event

_ID = re.compile(r"[A-Za-z0-9_]{1,255}", re.ASCII)
TargetsOf = Callable[[Event], Sequence[Target]]


def the_payment(event: Event) -> Sequence[Target]:
    """A payment intent."""
    return _targets((Kind.PAYMENT, event.object_id))


def the_named_payment(event: Event) -> Sequence[Target]:
    """A payment intent that names a payment of ours: whoever made it may not have heard of it."""
    return the_payment(event) if _within(event.object, "metadata", "payment_id") else ()


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
    told = _within(event.object, "parent", "subscription_details", "subscription")
    before_2025 = event.object.get("subscription")  # where it stands in an earlier version of the API
    return _targets((Kind.SUBSCRIPTION, told or before_2025), (Kind.INVOICE, invoice_id))


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
    """An id may be given as the object itself, or not at all; what cannot be one is no id of anything."""
    ids = [(kind, given.get("id") if isinstance(given, Mapping) else given) for kind, given in named]
    return [Target(kind, given) for kind, given in ids if isinstance(given, str) and _ID.fullmatch(given)]


def _within(found: Any, *path: str) -> Any:
    """None where the way ends early."""
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


HANDLINGS: Mapping[str, TargetsOf] = MappingProxyType(
    {
        "payment_intent.created": the_named_payment,
        "payment_intent.succeeded": the_payment,
        "payment_intent.payment_failed": the_payment,
        "payment_intent.canceled": the_payment,
        "payment_intent.processing": the_payment,
        "payment_intent.requires_action": the_payment,
        "charge.refunded": its_payment,
        "charge.dispute.*": its_payment,
        "refund.*": its_payment,
        "checkout.session.*": the_session,
        "customer.subscription.created": the_subscription,
        "customer.subscription.updated": the_subscription,
        "customer.subscription.deleted": the_subscription,
        "customer.subscription.paused": the_subscription,
        "customer.subscription.resumed": the_subscription,
        "customer.subscription.pending_update_applied": the_subscription,
        "customer.subscription.pending_update_expired": the_subscription,
        "customer.subscription.trial_will_end": the_subscription,
        "subscription_schedule.*": its_subscription,
        "invoice.created": the_invoice,
        "invoice.finalized": the_invoice,
        "invoice.deleted": the_invoice,
        "invoice.updated": the_invoice,
        "invoice.paid": the_invoice,
        "invoice.payment_failed": the_invoice,
        "invoice.payment_action_required": the_invoice,
        "invoice.voided": the_invoice,
        "invoice.marked_uncollectible": the_invoice,
        "invoice.upcoming": the_invoice,
        "payment_method.*": its_customer,
        "setup_intent.succeeded": its_customer,
        "customer.updated": the_customer,
        "customer.deleted": the_customer,
        "transfer.created": the_transfer,
        "transfer.updated": the_transfer,
        "transfer.reversed": the_transfer,
        "account.updated": the_account,
    }
)
"""By the event's type or its family (``refund.*``). Types without a line are stored, counted and ignored."""


def line_of(event_type: str) -> str | None:
    """The table's line for a type: its own, else its family's; None where there is none."""
    family = f"{event_type.rpartition('.')[0]}.*"
    return next((line for line in (event_type, family) if line in HANDLINGS), None)


def targets_of(event: Event) -> Sequence[Target]:
    """In the order in which they are to be looked up: what is referred to first."""
    line = line_of(event.type)
    return HANDLINGS[line](event) if line else ()
