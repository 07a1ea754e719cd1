"""What one of the provider's invoices says, read into the terms of our rows. Amounts are minor units."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.domain.payments import InvoiceStatus, PaymentStatus, payment_status
from app.ports.provider import Object

Values = dict[str, Any]
IN_HAND = (PaymentStatus.PROCESSING, PaymentStatus.SUCCEEDED)


def values_of(told: Object) -> Values:
    """Columns of ``invoices``, but those that depend on other rows of ours.

    The period is what the lines are for; the provider's own is that of the usage before it.
    """
    at, taxes = told["status_transitions"], told.get("total_taxes") or []
    discount, tax = _sum(told.get("total_discount_amounts")), _sum(taxes)
    included = _sum(each for each in taxes if each["tax_behavior"] == "inclusive")
    start, end = _period(told["lines"]["data"])
    return {
        "number": told["number"],
        "status": InvoiceStatus(told["status"]),
        "currency": told["currency"].upper(),
        "subtotal_cents": told["subtotal"],
        "discount_cents": discount,
        "tax_cents": tax,
        "tax_included_cents": included,
        "adjustment_cents": told["total"] - (told["subtotal"] - discount + tax - included),
        "total_cents": told["total"],
        "amount_due_cents": told["amount_due"],
        "amount_paid_cents": told["amount_paid"],
        "stripe_invoice_id": told["id"],
        "stripe_subscription_id": subscription_of(told),
        "period_start": start,
        "period_end": end,
        "issued_at": moment(at["finalized_at"]),
        "due_at": moment(told["due_date"]),
        "paid_at": moment(at["paid_at"]),
        "created_at": moment(told["created"]),
        "description": told["description"],
        "attempt_count": told["attempt_count"],
        "next_attempt_at": moment(told.get("next_payment_attempt")),
        "hosted_url": told.get("hosted_invoice_url"),
    }


def lines_of(told: Object) -> list[Values]:
    """Columns of ``invoice_lines``, in their order."""
    return [_line(position, line) for position, line in enumerate(told["lines"]["data"])]


def _line(position: int, line: Object) -> Values:
    pricing = line.get("pricing") or {}
    price = (pricing.get("price_details") or {}).get("price")
    details = line["parent"] or {}
    origin = details.get("subscription_item_details") or details.get("invoice_item_details") or {}
    return {
        "position": position,
        "description": line["description"] or "",
        "quantity": line["quantity"] if line["quantity"] is not None else 1,
        "unit_amount_cents": _whole(pricing.get("unit_amount_decimal")),
        "amount_cents": line["amount"],
        "discount_cents": _sum(line["discount_amounts"]),
        "tax_cents": _sum(line["taxes"]),
        "is_proration": bool(origin.get("proration")),
        "stripe_price_id": price.get("id") if isinstance(price, Mapping) else price,
        "period_start": moment(line["period"]["start"]),
        "period_end": moment(line["period"]["end"]),
    }


def payments_of(told: Object) -> list[Values]:
    """Columns of ``payments`` for those that go through an intent: others happen outside of the provider."""
    entries = ((told.get("payments") or {}).get("data")) or []
    intents = [each["payment"].get("payment_intent") for each in entries]
    return [_payment(told, intent) for intent in intents if intent is not None]


def _payment(told: Object, intent: Object) -> Values:
    return {
        "stripe_payment_intent_id": intent["id"],
        "status": payment_status(intent["status"]),
        "amount_cents": intent["amount"],
        "refunded_cents": 0,
        "currency": intent["currency"].upper(),
        "attempt": max(1, told["attempt_count"]),
        "created_at": moment(intent["created"]),
    }


def has_failed(told: Object) -> bool:
    """A collection that goes by itself was tried, and did not succeed.

    Not the first payment of a new subscription, nor that of a change: whoever asks for one is there, and
    sees it. A change that was made at the provider all the same is tried again by itself.
    """
    there = told["billing_reason"] == "subscription_create" or (
        told["billing_reason"] == "subscription_update" and told.get("next_payment_attempt") is None
    )
    tried = told["status"] == InvoiceStatus.OPEN and told["attempted"] and told["attempt_count"] > 0
    by_itself = told["collection_method"] == "charge_automatically" and subscription_of(told) is not None
    in_hand = any(each["status"] in IN_HAND for each in payments_of(told))
    return tried and by_itself and not in_hand and not there


def is_mailed(told: Object) -> bool:
    """Whether it waits for the customer to pay, rather than being collected."""
    return bool(told["status"] == InvoiceStatus.OPEN and told["collection_method"] == "send_invoice")


def subscription_of(told: Object) -> str | None:
    given = ((told["parent"] or {}).get("subscription_details") or {}).get("subscription")
    return given.get("id") if isinstance(given, Mapping) else given


def moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _period(lines: Iterable[Object]) -> tuple[datetime | None, datetime | None]:
    """None for what is for no time, such as a service."""
    periods = [line["period"] for line in lines if line["period"]["end"] > line["period"]["start"]]
    if not periods:
        return None, None
    return moment(min(each["start"] for each in periods)), moment(max(each["end"] for each in periods))


def _sum(entries: Iterable[Object] | None) -> int:
    return sum(entry["amount"] for entry in entries or ())


def _whole(given: str | None) -> int | None:
    """None for a price with fractions of a minor unit: only the line's amount says what it comes to."""
    amount = Decimal(given) if given else None
    return int(amount) if amount is not None and amount == amount.to_integral_value() else None
