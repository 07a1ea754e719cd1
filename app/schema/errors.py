"""The domain's errors as GraphQL types: one interface, facts where there are some."""

from datetime import datetime
from enum import Enum
from typing import Any

import strawberry

from app.domain import errors
from app.schema.enums import Resource
from app.schema.money import Money
from app.schema.scalars import BigInt


@strawberry.enum(description="What kind of refusal it is.")
class ErrorCode(Enum):
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    RATE_LIMITED = "RATE_LIMITED"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    ALREADY_OWNED = "ALREADY_OWNED"
    NOT_OWNED = "NOT_OWNED"
    INVALID_STATE = "INVALID_STATE"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    INVALID_TOKEN = "INVALID_TOKEN"  # noqa: S105 - an error code
    ACCOUNT_LOCKED = "ACCOUNT_LOCKED"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    PLAN_NOT_FOR_SALE = "PLAN_NOT_FOR_SALE"
    QUOTE_EXPIRED = "QUOTE_EXPIRED"
    LAST_PAYMENT_METHOD = "LAST_PAYMENT_METHOD"
    PAYMENTS_NOT_CONFIGURED = "PAYMENTS_NOT_CONFIGURED"
    PAYMENT_DECLINED = "PAYMENT_DECLINED"
    PAYMENT_REFUSED = "PAYMENT_REFUSED"
    PAYMENT_UNCONFIRMED = "PAYMENT_UNCONFIRMED"


@strawberry.interface(description="An expected refusal of a business action.")
class Error:
    code: ErrorCode = strawberry.field(description="What kind of refusal it is.")
    message: str = strawberry.field(description="What was wrong and what would be right.")
    path: list[str] = strawberry.field(description="Where in the arguments the reason stands; may be empty.")


@strawberry.type(description="A refusal that its code and message say everything of.")
class SimpleError(Error):
    pass


@strawberry.type(description="The plan's limit is reached.")
class QuotaExceeded(Error):
    resource: Resource = strawberry.field(description="What is limited.")
    used: BigInt = strawberry.field(description="What is used and reserved, in the resource's unit.")
    limit: BigInt = strawberry.field(description="The plan's limit.")
    resets_at: datetime | None = strawberry.field(
        description="When the count starts anew; null where it never does."
    )


@strawberry.type(description="There is less to pay out than that.")
class InsufficientBalance(Error):
    available: Money = strawberry.field(description="What may be paid out; may be less than zero.")
    minimum: Money = strawberry.field(description="The least that a payout moves.")


@strawberry.type(description="Too many failed sign-ins.")
class AccountLocked(Error):
    locked_until: datetime = strawberry.field(description="When the next attempt is admitted.")


@strawberry.type(description="The thing is in a state that does not allow the action.")
class InvalidState(Error):
    state: str = strawberry.field(description="The state it is in.")
    action: str = strawberry.field(description="What was asked for.")


@strawberry.type(description="The payer's bank said no.")
class PaymentDeclined(Error):
    decline_code: str | None = strawberry.field(
        description="Why, in the payment provider's words, such as insufficient_funds; null for no reason."
    )


@strawberry.type(description="The payment provider will not do it: asking again changes nothing.")
class PaymentRefused(Error):
    reason: str | None = strawberry.field(
        description="The payment provider's code, such as amount_too_small."
    )


ERROR_TYPES = (
    SimpleError,
    QuotaExceeded,
    InsufficientBalance,
    AccountLocked,
    InvalidState,
    PaymentDeclined,
    PaymentRefused,
)


def as_data(error: errors.DomainError) -> Error:
    """The GraphQL object of an expected refusal."""
    code, message, path = ErrorCode[error.code], error.message, list(error.path)
    match error:
        case errors.QuotaExceeded():
            return QuotaExceeded(
                code=code,
                message=message,
                path=path,
                resource=Resource(error.resource),
                used=BigInt(error.used),
                limit=BigInt(error.limit),
                resets_at=error.resets_at,
            )
        case errors.InsufficientBalance():
            return InsufficientBalance(
                code=code,
                message=message,
                path=path,
                available=Money(amount_cents=BigInt(error.available_cents), currency=error.currency),
                minimum=Money(amount_cents=BigInt(error.minimum_cents), currency=error.currency),
            )
        case errors.AccountLocked():
            return AccountLocked(code=code, message=message, path=path, locked_until=error.until)
        case errors.InvalidState():
            return InvalidState(code=code, message=message, path=path, state=error.state, action=error.action)
        case errors.PaymentDeclined():
            return PaymentDeclined(code=code, message=message, path=path, decline_code=error.decline_code)
        case errors.PaymentRefused():
            return PaymentRefused(code=code, message=message, path=path, reason=error.reason)
        case _:
            return SimpleError(code=code, message=message, path=path)


def as_extensions(error: errors.DomainError) -> dict[str, Any]:
    """The facts of an error that is not data: they stand in ``extensions``, beside the code."""
    return {**error.facts(), "code": error.code}
