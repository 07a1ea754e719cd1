"""What does each of Stripe's test cards do? (https://docs.stripe.com/testing, by name: no numbers.)"""

from dataclasses import asdict, dataclass, replace
from typing import Any

MESSAGES = {
    "card_declined": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}


@dataclass(frozen=True)
class Card:
    """How a payment method behaves. `asks` for authentication: never, unless set up, or always."""

    brand: str = "visa"
    last4: str = "4242"
    kind: str = "card"
    code: str | None = None  # the error of a declined payment
    decline_code: str | None = None
    attaches: bool = True  # false: declined already when it is saved
    asks: str = "never"  # "setup", "always"
    settles: str = "now"  # "succeed", "fail": a bank debit that is processing first
    dispute: str | None = None  # disputed as soon as it is charged
    refund_fails: bool = False
    available_at_once: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def message(self) -> str:
        return MESSAGES.get(self.decline_code or "", MESSAGES.get(self.code or "", MESSAGES["card_declined"]))


def declined(last4: str, code: str, decline_code: str | None = None, *, attaches: bool = False) -> Card:
    return Card(last4=last4, code=code, decline_code=decline_code, attaches=attaches)


GENERIC = declined("0002", "card_declined", "generic_decline")
INSUFFICIENT = declined("9995", "card_declined", "insufficient_funds")
EXPIRED = declined("0069", "expired_card", "expired_card")
CVC = declined("0127", "incorrect_cvc", "incorrect_cvc")
PROCESSING = declined("0119", "processing_error", "processing_error")
LOST = declined("9987", "card_declined", "lost_card")
STOLEN = declined("9979", "card_declined", "stolen_card")
VELOCITY = declined("6975", "card_declined", "card_velocity_exceeded")

NAMED = {
    "visa": Card(),
    "visa_debit": Card(last4="5556"),
    "mastercard": Card(brand="mastercard", last4="4444"),
    "mastercard_debit": Card(brand="mastercard", last4="3222"),
    "amex": Card(brand="amex", last4="8431"),
    "discover": Card(brand="discover", last4="9424"),
    "diners": Card(brand="diners", last4="0004"),
    "jcb": Card(brand="jcb", last4="0505"),
    "unionpay": Card(brand="unionpay", last4="0005"),
    "chargeDeclined": GENERIC,
    "visa_chargeDeclined": GENERIC,
    "chargeDeclinedInsufficientFunds": INSUFFICIENT,
    "visa_chargeDeclinedInsufficientFunds": INSUFFICIENT,
    "chargeDeclinedExpiredCard": EXPIRED,
    "visa_chargeDeclinedExpiredCard": EXPIRED,
    "chargeDeclinedIncorrectCvc": CVC,
    "visa_chargeDeclinedIncorrectCvc": CVC,
    "chargeDeclinedProcessingError": PROCESSING,
    "visa_chargeDeclinedProcessingError": PROCESSING,
    "chargeDeclinedLostCard": LOST,
    "visa_chargeDeclinedLostCard": LOST,
    "chargeDeclinedStolenCard": STOLEN,
    "visa_chargeDeclinedStolenCard": STOLEN,
    "chargeDeclinedVelocityLimitExceeded": VELOCITY,
    "visa_chargeDeclinedVelocityLimitExceeded": VELOCITY,
    "chargeCustomerFail": replace(GENERIC, last4="0341", attaches=True),
    "authenticationRequired": Card(last4="3184", asks="always"),
    "authenticationRequiredOnSetup": Card(last4="3155", asks="setup"),
    "authenticationRequiredSetupForOffSession": Card(last4="3155", asks="setup"),
    "authenticationRequiredChargeDeclinedInsufficientFunds": replace(
        INSUFFICIENT, last4="3178", asks="always", attaches=True
    ),
    "threeDSecure2Required": Card(last4="3220", asks="always"),
    "threeDSecureRequired": Card(last4="3063", asks="always"),
    "createDispute": Card(last4="0259", dispute="fraudulent"),
    "createDisputeProductNotReceived": Card(last4="2685", dispute="product_not_received"),
    "createDisputeInquiry": Card(last4="1976", dispute="inquiry"),
    "refundFail": Card(last4="5126", refund_fails=True),
    "bypassPending": Card(last4="0077", available_at_once=True),
}
BANK = Card(brand="", last4="6789", kind="us_bank_account", settles="succeed")
METHODS = {
    "pm_usBankAccount": BANK,
    "pm_usBankAccount_success": BANK,
    "pm_usBankAccount_insufficientFunds": replace(
        BANK, last4="2222", settles="fail", code="payment_intent_payment_attempt_failed",
        decline_code="insufficient_funds",
    ),
}  # fmt: skip


def known(name: str) -> Card | None:
    """The card behind `pm_card_visa`, `tok_visa` and their like."""
    if name in METHODS:
        return METHODS[name]
    for prefix in ("pm_card_", "tok_"):
        if name.startswith(prefix):
            return NAMED.get(name.removeprefix(prefix))
    return None
