"""Which endpoints and which timers are there?"""

from sandbox.clock import Handler
from sandbox.objects import (
    accounts,
    balance,
    charges,
    checkout,
    checkout_payment,
    collecting,
    coupons,
    customers,
    disputes,
    events,
    invoice_items,
    invoices,
    payment_intents,
    payment_methods,
    pending_updates,
    previews,
    products,
    refunds,
    renewals,
    schedules,
    setup_intents,
    subscription_changes,
    subscription_ends,
    subscription_items,
    subscriptions,
    tax_rates,
    transfers,
)

# `previews` before `invoices`: /v1/invoices/create_preview is not the invoice of that id.
ROOMS = (
    customers, products, coupons, tax_rates, payment_methods, payment_intents, setup_intents, charges,
    refunds,
    disputes, balance, previews, invoices, invoice_items, subscriptions, subscription_items,
    subscription_changes,
    subscription_ends, schedules, checkout, accounts, transfers, events,
)  # fmt: skip
LISTENING = (checkout_payment, renewals)  # rooms that only answer to what happens elsewhere

ROUTES = tuple(route for room in ROOMS for route in room.ROUTES)
TIMERS: dict[str, Handler] = {
    **balance.TIMERS, **payment_intents.TIMERS, **collecting.TIMERS, **subscription_ends.TIMERS,
    **renewals.TIMERS, **pending_updates.TIMERS, **previews.TIMERS,
    **schedules.TIMERS, **checkout.TIMERS,
}  # fmt: skip
