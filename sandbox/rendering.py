"""How does a stored object look in an answer?

Stored objects are the answers themselves, plus keys that begin with an underscore, which never leave.
Fields that the SDK declares optional and that an object does not set are null, as Stripe's are.
"""

from functools import cache
from importlib import import_module
from typing import Any, get_args

from stripe._api_version import _ApiVersion
from stripe._object_classes import OBJECT_CLASSES

API_VERSION: str = _ApiVersion.CURRENT

# Sent only to who asks for them with `expand`.
INCLUDABLE = {
    ("charge", "refunds"), ("checkout.session", "line_items"), ("customer", "subscriptions"),
    ("customer", "tax"),
    ("customer", "sources"), ("customer", "tax_ids"), ("customer", "cash_balance"),
    ("customer", "invoice_credit_balance"), ("invoice", "confirmation_secret"), ("invoice", "payments"),
    ("coupon", "applies_to"), ("coupon", "currency_options"), ("price", "tiers"),
    ("price", "currency_options"),
    ("account", "external_accounts"),
}  # fmt: skip
EMBEDDED = 10
"""An object shows so many of a list that is part of it; the rest is asked for, page by page."""
UNUSUAL = {"deleted", "presentment_details", "test_clock", "status_details", "application_fee_percent"}


@cache
def optional_fields(kind: str) -> tuple[str, ...]:
    if kind not in OBJECT_CLASSES:
        return ()
    module, name = OBJECT_CLASSES[kind]
    annotations: dict[str, Any] = getattr(import_module(module), name).__annotations__
    return tuple(
        field for field, hint in annotations.items()
        if type(None) in get_args(hint) and field not in UNUSUAL and (kind, field) not in INCLUDABLE
    )  # fmt: skip


def render(value: Any) -> Any:
    if isinstance(value, list):
        return [render(item) for item in value]
    if not isinstance(value, dict):
        return value
    shown = {key: render(item) for key, item in value.items() if not key.startswith("_")}
    kind = value.get("object")
    if kind == "list" and "total_count" in value and len(shown["data"]) > EMBEDDED:
        shown.update(data=shown["data"][:EMBEDDED], has_more=True)
    if isinstance(kind, str) and "id" in value and not value.get("deleted"):
        for name in optional_fields(kind):
            shown.setdefault(name, None)
    return shown


def differences(before: Any, after: Any) -> dict[str, Any]:
    """What an event's previous_attributes say: the old values of what changed, lists as a whole."""
    changed: dict[str, Any] = {}
    for key, old in before.items():
        new = after.get(key)
        if old == new:
            continue
        both_maps = isinstance(old, dict) and isinstance(new, dict)
        changed[key] = differences(old, new) if both_maps else old
    changed.update({key: None for key in after.keys() - before.keys() if after[key] is not None})
    return changed
