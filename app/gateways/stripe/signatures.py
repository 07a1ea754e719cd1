"""Whether what came to our webhook was sent by Stripe, and just now."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import stripe

MOST_DIGITS = 12


class BadSignature(ValueError):
    """Who sent this does not know the secret, or it was sent at another time."""


def verify(body: bytes, header: str, *, secrets: Sequence[str], now: datetime, tolerance: timedelta) -> None:
    """``header`` is ``Stripe-Signature``. Raises BadSignature, and nothing else whatever is given.

    The SDK accepts moments to come, so the moment is checked here; it raises other errors for a header that
    is not ASCII and a body that is not UTF-8.
    """
    moment = _moment(header)
    if abs(now.timestamp() - moment) > tolerance.total_seconds():
        raise BadSignature("The signature is of another time.")
    if not any(_signs(body, header, secret) for secret in secrets):
        raise BadSignature("The signature is not of any secret that is known here.")


def _moment(header: str) -> int:
    moments = [part[2:] for part in header.split(",") if part.startswith("t=")]
    if not header.isascii() or len(moments) != 1 or not moments[0].isdigit() or len(moments[0]) > MOST_DIGITS:
        raise BadSignature("Stripe-Signature is not of the form t=…,v1=….")
    return int(moments[0])


def _signs(body: bytes, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True
