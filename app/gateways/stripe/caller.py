"""One call to Stripe: plain dictionaries in and out, the SDK's exceptions translated."""

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

import stripe

from app.ports.provider import Declined, Object, OutcomeUnknown, ProviderBusy, ProviderRefused


class Method(Protocol):
    """One of the SDK's ``…_async`` methods; those that retrieve take the id first."""

    def __call__(self, *args: Any, **kwargs: Any) -> Awaitable[Any]: ...


async def call(
    method: Method, *ids: str, params: Mapping[str, Any] | None = None, key: str | None = None
) -> dict[str, Any]:
    """Raises OutcomeUnknown, ProviderBusy, Declined, ProviderRefused.

    ``key`` makes the call safe to repeat: whoever cannot prove that an earlier one failed asks with the same.
    """
    options = {"idempotency_key": key} if key else {}
    try:
        answer = await method(*ids, params=dict(params or {}), options=options)
    except stripe.StripeError as error:
        raise _translated(error) from error
    # As it came: the SDK's own dictionaries hold Decimals, which no JSON column takes.
    told: dict[str, Any] = answer.last_response.data
    return told


async def find(
    method: Method, object_id: str, *, params: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """As ``call``, for one object by its id; None where there is none, or none any more."""
    try:
        found = await call(method, object_id, params=params)
    except ProviderRefused as refused:
        if refused.code == "resource_missing":
            return None
        raise
    return None if found.get("deleted") else found


def _translated(error: stripe.StripeError) -> Exception:
    message = error.user_message or str(error)
    if isinstance(error, stripe.CardError):
        detail = error.error
        code = (detail and getattr(detail, "decline_code", None)) or error.code
        return Declined(message, code=code, payment=_payment_of(error))
    if isinstance(error, stripe.RateLimitError) or error.http_status in (409, 429):
        return ProviderBusy(message)
    if isinstance(error, stripe.APIConnectionError) or (error.http_status or 500) >= 500:
        return OutcomeUnknown(message)
    return ProviderRefused(message, code=error.code, param=getattr(error, "param", None))


def _payment_of(error: stripe.CardError) -> Object | None:
    body = error.json_body if isinstance(error.json_body, dict) else {}
    payment = body.get("error", {}).get("payment_intent")
    return payment if isinstance(payment, dict) else None
