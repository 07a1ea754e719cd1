"""Every way in which revgraph says no: one closed family, facts as attributes.

``DomainError`` is expected: it reaches the client with its ``code`` and facts, never masked.
``Refusal`` is the half that refuses a whole operation (not signed in, scope, quota of calls, rate):
it is a top-level GraphQL error even inside a mutation. All others are data: a mutation's ``errors``.

    DomainError
    ├── Refusal
    │   ├── Unauthenticated      UNAUTHENTICATED
    │   ├── Forbidden            FORBIDDEN
    │   ├── CallQuotaExceeded    QUOTA_EXCEEDED     (of API calls)
    │   ├── RateLimited          RATE_LIMITED
    │   ├── NotAlone             BAD_USER_INPUT
    │   └── Unavailable          SERVICE_UNAVAILABLE
    ├── InvalidInput             BAD_USER_INPUT
    ├── NotFound                 NOT_FOUND
    ├── Conflict                 CONFLICT
    │   └── AlreadyOwned         ALREADY_OWNED
    ├── NotOwned                 NOT_OWNED
    ├── InvalidState             INVALID_STATE
    ├── InvalidCredentials       INVALID_CREDENTIALS
    ├── InvalidToken             INVALID_TOKEN
    ├── AccountLocked            ACCOUNT_LOCKED
    ├── QuotaExceeded            QUOTA_EXCEEDED
    ├── InsufficientBalance      INSUFFICIENT_BALANCE
    ├── IdempotencyMismatch      IDEMPOTENCY_KEY_REUSED
    ├── NotForSale               PLAN_NOT_FOR_SALE
    ├── QuoteExpired             QUOTE_EXPIRED
    ├── LastPaymentMethod        LAST_PAYMENT_METHOD
    ├── PaymentsNotConfigured    PAYMENTS_NOT_CONFIGURED
    ├── PaymentDeclined          PAYMENT_DECLINED
    ├── PaymentRefused           PAYMENT_REFUSED
    └── PaymentUnconfirmed       PAYMENT_UNCONFIRMED
"""

from datetime import datetime
from typing import Any, ClassVar


class DomainError(Exception):
    """An expected refusal; ``code`` is stable, the message says what would be right."""

    code: ClassVar[str]

    def __init__(self, message: str, *, path: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.path = path

    def facts(self) -> dict[str, Any]:
        """What a client can act on, beside the code."""
        return {}


class Refusal(DomainError):
    """Refuses the operation itself rather than the business action in it."""


class Unauthenticated(Refusal):
    code = "UNAUTHENTICATED"

    def __init__(
        self, message: str = "Sign in first: send 'Authorization: Bearer <token or API key>'."
    ) -> None:
        super().__init__(message)


class Forbidden(Refusal):
    code = "FORBIDDEN"


class _Quota(DomainError):
    code = "QUOTA_EXCEEDED"

    def __init__(self, *, resource: str, used: int, limit: int, resets_at: datetime | None) -> None:
        reset = f" It resets at {resets_at:%Y-%m-%dT%H:%M:%SZ}." if resets_at else ""
        super().__init__(f"This goes beyond the plan's limit of {limit} for {resource}: {used} used.{reset}")
        self.resource, self.used, self.limit, self.resets_at = resource, used, limit, resets_at

    def facts(self) -> dict[str, Any]:
        resets_at = _instant(self.resets_at) if self.resets_at else None
        return {
            "resource": self.resource.upper(),
            "used": self.used,
            "limit": self.limit,
            "resetsAt": resets_at,
        }


class QuotaExceeded(_Quota):
    """``used`` counts what is used and reserved, in the resource's unit; ``resets_at`` is None for gauges."""


class CallQuotaExceeded(Refusal, _Quota):
    """The plan's API calls are used up: nothing of the operation ran."""


class RateLimited(Refusal):
    code = "RATE_LIMITED"

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(f"Too many requests: try again in {retry_after} seconds.")
        self.retry_after = retry_after

    def facts(self) -> dict[str, Any]:
        return {"retryAfter": self.retry_after}


class NotAlone(Refusal):
    """A field that ends the session or the account stands beside others."""

    code = "BAD_USER_INPUT"

    def __init__(self, field: str) -> None:
        super().__init__(
            f"'{field}' ends what other fields would act for: send it in an operation of its own."
        )


class Unavailable(Refusal):
    """Something that the server needs does not answer; nothing was changed."""

    code = "SERVICE_UNAVAILABLE"

    def __init__(self, what: str) -> None:
        super().__init__(f"The {what} does not answer at the moment: try again.")


class InvalidInput(DomainError):
    """``field`` is the input's field in GraphQL's spelling."""

    code = "BAD_USER_INPUT"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, path=("input", field))
        self.field = field

    def facts(self) -> dict[str, Any]:
        return {"field": self.field}


class NotFound(DomainError):
    code = "NOT_FOUND"

    def __init__(self, what: str, *, field: str | None = None) -> None:
        super().__init__(f"{what} does not exist.", path=("input", field) if field else ())


class Conflict(DomainError):
    code = "CONFLICT"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message, path=("input", field) if field else ())


class AlreadyOwned(Conflict):
    code = "ALREADY_OWNED"

    def __init__(self, slug: str, *, suspended: bool = False) -> None:
        message = f"You own '{slug}' already: download it with createDownload."
        super().__init__(_suspended(slug) if suspended else message, field="packageId")


class NotOwned(DomainError):
    """What only owners may do; a revoked or suspended licence owns nothing."""

    code = "NOT_OWNED"

    def __init__(self, slug: str, *, suspended: bool = False) -> None:
        message = f"You have no active licence of '{slug}': get it with purchasePackage."
        super().__init__(_suspended(slug) if suspended else message, path=("input", "packageId"))


def _suspended(slug: str) -> str:
    return (
        f"Your licence of '{slug}' is suspended while its payment is disputed: it is yours again once the "
        "dispute is withdrawn, or decided for the payment."
    )


class InvalidState(DomainError):
    code = "INVALID_STATE"

    def __init__(self, *, what: str, state: str, action: str) -> None:
        super().__init__(f"{what} is {state.replace('_', ' ')}: it cannot {action}.")
        self.state, self.action = state, action

    def facts(self) -> dict[str, Any]:
        return {"state": self.state, "action": self.action}


class InvalidCredentials(DomainError):
    """One answer for the unknown account and the wrong password."""

    code = "INVALID_CREDENTIALS"

    def __init__(self, message: str = "E-mail or password is wrong.") -> None:
        super().__init__(message)


class InvalidToken(DomainError):
    """A link or refresh token that is unknown, used, expired or revoked."""

    code = "INVALID_TOKEN"

    def __init__(self, message: str = "This token is not valid any more: ask for a new one.") -> None:
        super().__init__(message)


class AccountLocked(DomainError):
    code = "ACCOUNT_LOCKED"

    def __init__(self, *, until: datetime) -> None:
        super().__init__(f"Too many failed sign-ins: try again after {until:%Y-%m-%dT%H:%M:%SZ}.")
        self.until = until

    def facts(self) -> dict[str, Any]:
        return {"lockedUntil": _instant(self.until)}


class InsufficientBalance(DomainError):
    """Both in minor units of the currency: what may be paid out, and the least that a payout moves."""

    code = "INSUFFICIENT_BALANCE"

    def __init__(self, *, currency: str, available_cents: int, minimum_cents: int) -> None:
        super().__init__(
            f"{available_cents} of {currency}'s minor units are available, and a payout moves at least "
            f"{minimum_cents}: wait for more, or ask for less.",
            path=("input", "amountCents"),
        )
        self.currency, self.available_cents, self.minimum_cents = currency, available_cents, minimum_cents

    def facts(self) -> dict[str, Any]:
        return {
            "currency": self.currency,
            "availableCents": self.available_cents,
            "minimumCents": self.minimum_cents,
        }


class IdempotencyMismatch(DomainError):
    code = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self) -> None:
        super().__init__(
            "This idempotency key was used with other input: send a new key for a new request.",
            path=("input", "idempotencyKey"),
        )


class NotForSale(DomainError):
    """A plan without a price, which is agreed with the customer, or one without a price for the interval."""

    code = "PLAN_NOT_FOR_SALE"

    def __init__(self, tier: str, interval: str) -> None:
        super().__init__(
            f"The plan {tier.upper()} cannot be subscribed to by the {interval} here: the query plans tells "
            "what can; for other terms, write to us.",
            path=("input", "tier"),
        )


class QuoteExpired(DomainError):
    """Too old, used, another's, for another wish, or told of a subscription that is another one by now."""

    code = "QUOTE_EXPIRED"

    def __init__(self, *, told: tuple[str, str] | None = None) -> None:
        """``told``: of another plan and interval than were sent with it."""
        message = "This quote does not hold any more: ask previewTierChange for a new one and show it."
        if told is not None:
            message = (
                f"This quote is for the plan {told[0].upper()} by the {told[1]}: send these, or ask "
                "previewTierChange for a quote of what is wished for."
            )
        super().__init__(message, path=("input", "quoteId"))


class LastPaymentMethod(DomainError):
    code = "LAST_PAYMENT_METHOD"

    def __init__(self) -> None:
        super().__init__(
            "The subscription is paid by this: add another one first, or cancel the subscription.",
            path=("input", "paymentMethodId"),
        )


class PaymentsNotConfigured(DomainError):
    code = "PAYMENTS_NOT_CONFIGURED"

    def __init__(self) -> None:
        super().__init__("This has to be paid, and this server takes no payments yet.")


class PaymentDeclined(DomainError):
    """The payer's bank said no; ``decline_code`` is the provider's, such as insufficient_funds."""

    code = "PAYMENT_DECLINED"

    def __init__(self, *, decline_code: str | None) -> None:
        said = f" ({decline_code.replace('_', ' ')})" if decline_code else ""
        super().__init__(f"The payment was declined{said}: try again or pay in another way.")
        self.decline_code = decline_code

    def facts(self) -> dict[str, Any]:
        return {"declineCode": self.decline_code}


class PaymentRefused(DomainError):
    """The payment provider will not do it, and asking again changes nothing; ``reason`` is its code."""

    code = "PAYMENT_REFUSED"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(f"The payment provider refuses this: {message}")
        self.reason = reason

    def facts(self) -> dict[str, Any]:
        return {"reason": self.reason}


class PaymentUnconfirmed(DomainError):
    """The payment provider has not answered: what was asked for may have happened, and is found out."""

    code = "PAYMENT_UNCONFIRMED"

    def __init__(self) -> None:
        super().__init__(
            "The payment provider has not answered yet. Send the same request with the same idempotencyKey "
            "to hear what became of it: nothing is done twice."
        )


def _instant(moment: datetime) -> str:
    """As the API's DateTime."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
