"""How is an open invoice collected, and what happens when that fails again and again?"""

from sandbox.errors import ApiError, CardError
from sandbox.hooks import after, tell
from sandbox.objects import paying
from sandbox.objects.invoicing import finalize, mark_paid, subscription_id
from sandbox.periods import days
from sandbox.world import Obj, World

ENDED = ("canceled", "incomplete_expired")


def default_method(world: World, invoice: Obj) -> Obj | None:
    """The invoice's own method, else its subscription's, else the customer's default."""
    subscription = world.find("subscription", subscription_id(invoice))
    customer = world.get("customer", invoice["customer"])
    keys = (
        invoice["default_payment_method"],
        subscription["default_payment_method"] if subscription else None,
        (customer.get("invoice_settings") or {}).get("default_payment_method"),
    )
    found = (world.find("payment_method", key) for key in keys)
    return next((method for method in found if method), None)


def collect(
    world: World, invoice: Obj, *, method: Obj | None = None, off_session: bool = True
) -> ApiError | None:
    """One attempt, now. The error is returned; what it means for the invoice has happened already."""
    intent = world.get("payment_intent", invoice["_intent"])
    method = method or default_method(world, invoice)
    if method is None:
        fail(world, invoice, automatic=off_session)
        return ApiError(
            400, "invalid_request_error",
            "This customer has no attached payment source or default payment method. "
            "Please consider adding a default payment method.", code="resource_missing", keeps=True,
        )  # fmt: skip
    if intent["status"] == "processing":
        return None
    world.change(intent, _automatic=off_session)
    error = paying.attempt(world, intent, method, off_session=off_session)
    if intent["status"] == "requires_action":
        fail(world, invoice, automatic=off_session)
        code = "invoice_payment_intent_requires_action"
        return CardError("Payment for this invoice requires additional user action.", code=code)
    return error


@after("payment_intent.succeeded")
def paid(world: World, intent: Obj) -> None:
    invoice = world.find("invoice", intent.get("_invoice"))
    if invoice and invoice["status"] in ("open", "uncollectible"):
        counts = invoice["attempt_count"] == 0 or bool(intent.get("_automatic"))
        world.change(invoice, attempt_count=invoice["attempt_count"] + counts)
        mark_paid(world, invoice)


@after("payment_intent.payment_failed")
def refused(world: World, intent: Obj) -> None:
    invoice = world.find("invoice", intent.get("_invoice"))
    if invoice and invoice["status"] == "open":
        fail(world, invoice, automatic=bool(intent.get("_automatic")))
    if invoice:
        world.change(intent, _automatic=False)


def fail(world: World, invoice: Obj, *, automatic: bool) -> None:
    """A failed attempt: counted, retried after the set days; after the last retry the subscription ends.

    The first attempt always counts, later ones only when they were the schedule's own.
    """
    first = invoice["attempt_count"] == 0
    counts = first or automatic
    world.change(invoice, attempted=True, attempt_count=invoice["attempt_count"] + counts)
    exhausted = counts and retries(world, invoice) and not schedule_retry(world, invoice)
    intent = world.find("payment_intent", invoice["_intent"])
    needs_action = intent is not None and (
        intent["status"] == "requires_action"
        or (intent["last_payment_error"] or {}).get("code") == "authentication_required"
    )
    if needs_action:
        world.emit("invoice.payment_action_required", invoice)
    world.emit("invoice.payment_failed", invoice)
    tell("invoice.payment_failed", world, invoice)
    if exhausted:
        tell("invoice.exhausted", world, invoice)


def retries(world: World, invoice: Obj) -> bool:
    """A subscription's first invoice is not retried: it is incomplete until someone pays."""
    subscription = world.find("subscription", subscription_id(invoice))
    incomplete = subscription is not None and subscription["status"] == "incomplete"
    return (
        bool(invoice["auto_advance"])
        and invoice["collection_method"] == "charge_automatically"
        and not incomplete
    )


def schedule_retry(world: World, invoice: Obj) -> bool:
    waits = world.settings.retry_days
    number = invoice["attempt_count"]
    at = world.now() + days(waits[number - 1]) if number <= len(waits) else None
    world.change(invoice, next_payment_attempt=at)
    world.set_timer("retry", invoice["id"], at)
    return at is not None


def retry(world: World, key: str) -> None:
    invoice = world.get("invoice", key)
    if invoice["status"] == "open" and owned(world, invoice):
        collect(world, invoice)


def owned(world: World, invoice: Obj) -> bool:
    """False when the customer was deleted meanwhile: there is nobody left to collect from."""
    return not world.get("customer", invoice["customer"]).get("deleted")


def finalize_due(world: World, key: str) -> None:
    """A draft's hour is over: it becomes final and is collected."""
    invoice = world.get("invoice", key)
    if invoice["status"] == "draft" and invoice["auto_advance"] and owned(world, invoice):
        finalize_and_collect(world, invoice)


def finalize_and_collect(world: World, invoice: Obj, *, off_session: bool = True) -> ApiError | None:
    finalize(world, invoice)
    if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
        return collect(world, invoice, off_session=off_session)
    return None


def overdue(world: World, key: str) -> None:
    invoice = world.get("invoice", key)
    if invoice["status"] == "open":
        world.emit("invoice.overdue", invoice)
        tell("invoice.payment_failed", world, invoice)


def advance_later(world: World, invoice: Obj) -> None:
    """A renewal's draft waits, so that others can still add to it."""
    at = world.now() + world.settings.finalize_after
    world.change(invoice, automatically_finalizes_at=at)
    world.set_timer("finalize", invoice["id"], at)


TIMERS = {"finalize": finalize_due, "retry": retry, "overdue": overdue}
