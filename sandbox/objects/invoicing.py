"""How does an invoice come to be, and how does it become final?"""

from typing import Any

from sandbox.errors import refused
from sandbox.expand import INCLUDES
from sandbox.hooks import tell
from sandbox.objects.fields import MINIMUM, base, live_customer, whole_list
from sandbox.objects.invoice_lines import item_line, total_up
from sandbox.objects.payment_intents import cancel_intent, new_intent
from sandbox.paging import matching
from sandbox.periods import days
from sandbox.world import Obj, World


def draft(
    world: World,
    customer: Obj,
    *,
    currency: str,
    reason: str,
    lines: list[Obj],
    subscription: Obj | None = None,
    period: tuple[int, int] | None = None,
    pending: bool = False,
    **fields: Any,
) -> Obj:
    """A draft with these lines and, when asked, the customer's pending invoice items."""
    now = world.now()
    invoice = base(world, "invoice", "in_", fields)
    start, end = period or (now, now)
    invoice |= {
        "amount_due": 0, "amount_overpaid": 0, "amount_paid": 0, "amount_remaining": 0, "amount_shipping": 0,
        "attempt_count": 0, "attempted": False, "auto_advance": True, "automatic_tax": AUTOMATIC_TAX,
        "automatically_finalizes_at": None, "billing_reason": reason,
        "collection_method": "charge_automatically",
        "currency": currency, "customer": customer["id"], "customer_address": customer.get("address"),
        "customer_email": customer.get("email"), "customer_name": customer.get("name"),
        "customer_phone": customer.get("phone"), "customer_tax_exempt": "none", "customer_tax_ids": [],
        "default_payment_method": None, "default_tax_rates": [], "discounts": [], "issuer": {"type": "self"},
        "lines": None, "parent": parent(subscription),
        "payment_settings": dict.fromkeys(PAYMENT_SETTINGS),
        "period_end": end, "period_start": start, "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0, "starting_balance": 0, "status": "draft",
        "status_transitions": dict.fromkeys(TRANSITIONS),
        "_intent": None, **{name: value for name, value in fields.items() if name != "metadata"},
    }  # fmt: skip
    invoice["lines"] = whole_list(list(lines), f"/v1/invoices/{invoice['id']}/lines")
    world.insert(invoice)
    if pending:
        take_pending(world, invoice, subscription)
    recompute(world, invoice)
    return invoice


PAYMENT_SETTINGS = ("default_mandate", "payment_method_options", "payment_method_types")
TRANSITIONS = ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
AUTOMATIC_TAX = {
    "disabled_reason": None,
    "enabled": False,
    "liability": None,
    "provider": None,
    "status": None,
}


def parent(subscription: Obj | None) -> Obj | None:
    if subscription is None:
        return None
    details = {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]}
    return {"type": "subscription_details", "quote_details": None, "subscription_details": details}


def subscription_id(invoice: Obj) -> str | None:
    found = invoice["parent"]
    return str(found["subscription_details"]["subscription"]) if found else None


def take_pending(world: World, invoice: Obj, subscription: Obj | None) -> None:
    for entry in world.all("invoiceitem"):
        owner = (entry["parent"] or {}).get("subscription_details", {}).get("subscription")
        mine = owner is None or (subscription is not None and owner == subscription["id"])
        same = entry["customer"] == invoice["customer"] and entry["currency"] == invoice["currency"]
        if same and mine and entry["invoice"] is None:
            world.change(entry, invoice=invoice["id"])
            add_line(world, invoice, item_line(world, entry))


def add_line(world: World, invoice: Obj, row: Obj) -> None:
    world.touch(invoice)
    data = invoice["lines"]["data"]
    data.append(row)
    invoice["lines"]["total_count"] = len(data)


def recompute(world: World, invoice: Obj) -> None:
    """Sums, and what is due after the customer's balance.

    Below the smallest charge it waits on the balance.
    """
    world.touch(invoice)
    total_up(world, invoice)
    customer = world.get("customer", invoice["customer"])
    balance = customer["balance"] if customer["currency"] in (None, invoice["currency"]) else 0
    open_amount = invoice["total"] + balance
    chargeable = open_amount >= MINIMUM.get(invoice["currency"], 1)
    due = open_amount if chargeable else 0
    world.change(
        invoice, starting_balance=balance, amount_due=due, amount_remaining=due,
        _ending_balance=0 if chargeable else open_amount,
    )  # fmt: skip


def finalize(world: World, invoice: Obj) -> None:
    """It cannot change any more: it has a number, the balance is used, a payment waits for what is due."""
    if invoice["status"] != "draft":
        raise refused(
            "This invoice is already finalized, you can't re-finalize it.", code="invoice_not_editable"
        )
    now, customer = world.now(), live_customer(world, invoice["customer"])
    recompute(world, invoice)
    number = customer["next_invoice_sequence"]
    by_mail = invoice["collection_method"] == "send_invoice"
    world.set_timer("finalize", invoice["id"], None)
    world.change(
        invoice, status="open", number=f"{customer['invoice_prefix']}-{number:04d}", effective_at=now,
        automatically_finalizes_at=None, ending_balance=invoice["_ending_balance"],
        due_date=due_date(invoice, now) if by_mail else invoice.get("due_date"),
        hosted_invoice_url=f"{world.address}/pay/{invoice['id']}",
        status_transitions={**invoice["status_transitions"], "finalized_at": now},
    )  # fmt: skip
    world.change(customer, next_invoice_sequence=number + 1)
    set_balance(world, customer, invoice["_ending_balance"], invoice["currency"])
    if invoice["amount_due"] > 0:
        ask_for_payment(world, invoice)
    world.emit("invoice.finalized", invoice)
    if by_mail and invoice["auto_advance"]:
        world.emit("invoice.sent", invoice)
        world.set_timer("overdue", invoice["id"], invoice["due_date"])
    if invoice["amount_due"] == 0:
        mark_paid(world, invoice)


def due_date(invoice: Obj, now: int) -> int:
    given, wait = invoice.get("due_date"), invoice.get("_days_until_due")
    return int(given) if given else now + days(30 if wait is None else wait)


def set_balance(world: World, customer: Obj, balance: int, currency: str) -> None:
    if customer["balance"] != balance or customer["currency"] is None:
        world.change(customer, balance=balance, currency=currency)
        world.emit("customer.updated", customer)


def ask_for_payment(world: World, invoice: Obj) -> None:
    wording = {"subscription_create": "Subscription creation", "subscription_update": "Subscription update"}
    intent = new_intent(world, {
        "amount": invoice["amount_due"], "currency": invoice["currency"], "customer": invoice["customer"],
        "description": wording.get(invoice["billing_reason"], "Payment for Invoice"), "metadata": {},
        "setup_future_usage": "off_session" if invoice["parent"] else None,
    })  # fmt: skip
    world.change(intent, _invoice=invoice["id"])
    world.change(invoice, _intent=intent["id"])
    world.insert({
        "id": world.new_id("inpay_"), "object": "invoice_payment", "amount_paid": None,
        "amount_requested": invoice["amount_due"], "created": world.now(), "currency": invoice["currency"],
        "invoice": invoice["id"], "is_default": True, "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": intent["id"]}, "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    })  # fmt: skip
    world.emit("payment_intent.created", intent)


def mark_paid(world: World, invoice: Obj, *, out_of_band: bool = False) -> None:
    now = world.now()
    paid = 0 if out_of_band else invoice["amount_due"]
    forget_timers(world, invoice)
    world.change(
        invoice, status="paid", attempted=True, amount_paid=invoice["amount_due"], amount_remaining=0,
        next_payment_attempt=None, amount_paid_off_stripe=invoice["amount_due"] - paid,
        status_transitions={**invoice["status_transitions"], "paid_at": now},
    )  # fmt: skip
    for payment in payments(world, invoice):
        if payment["status"] != "open":
            continue
        if out_of_band:
            close_payment(world, payment)
            continue
        at = {**payment["status_transitions"], "paid_at": now}
        world.change(payment, status="paid", amount_paid=paid, status_transitions=at)
        world.emit("invoice_payment.paid", payment)
    world.emit("invoice.paid", invoice)
    world.emit("invoice.payment_succeeded", invoice)
    tell("invoice.paid", world, invoice)


def close_payment(world: World, payment: Obj) -> None:
    at = {**payment["status_transitions"], "canceled_at": world.now()}
    world.change(payment, status="canceled", status_transitions=at)
    intent = world.get("payment_intent", payment["payment"]["payment_intent"])
    if intent["status"] not in ("succeeded", "canceled", "processing"):
        cancel_intent(world, intent, "void_invoice")


def void(world: World, invoice: Obj) -> None:
    if invoice["status"] not in ("open", "uncollectible"):
        raise refused(f"You can only void open or uncollectible invoices. This one is {invoice['status']}.")
    forget_timers(world, invoice)
    transitions = {**invoice["status_transitions"], "voided_at": world.now()}
    world.change(invoice, status="void", next_payment_attempt=None, status_transitions=transitions)
    for payment in payments(world, invoice):
        close_payment(world, payment)
    customer = world.get("customer", invoice["customer"])
    used = invoice["starting_balance"] - (invoice.get("ending_balance") or 0)
    if not customer.get("deleted"):
        set_balance(world, customer, customer["balance"] + used, invoice["currency"])
    world.emit("invoice.voided", invoice)
    tell("invoice.voided", world, invoice)


def give_up(world: World, invoice: Obj) -> None:
    if invoice["status"] != "open":
        raise refused(f"You can only mark open invoices as uncollectible. This one is {invoice['status']}.")
    forget_timers(world, invoice)
    transitions = {**invoice["status_transitions"], "marked_uncollectible_at": world.now()}
    world.change(invoice, status="uncollectible", next_payment_attempt=None, status_transitions=transitions)
    world.emit("invoice.marked_uncollectible", invoice)
    tell("invoice.marked_uncollectible", world, invoice)


def forget_timers(world: World, invoice: Obj) -> None:
    for what in ("finalize", "retry", "overdue"):
        world.set_timer(what, invoice["id"], None)


def payments(world: World, invoice: Obj) -> list[Obj]:
    return matching(world.all("invoice_payment"), {"invoice": invoice["id"]}, "invoice")


def secret(world: World, shown: Obj) -> Obj | None:
    """Where the first payment of a subscription finds its client secret."""
    invoice = world.find("invoice", shown["id"]) or {"_intent": None}  # a preview asks for no payment
    intent = world.find("payment_intent", invoice["_intent"])
    if intent is None or shown["status"] != "open":
        return None
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}


INCLUDES["invoice", "confirmation_secret"] = secret
INCLUDES["invoice", "payments"] = lambda world, it: whole_list(
    payments(world, it), f"/v1/invoice_payments?invoice={it['id']}"
)
