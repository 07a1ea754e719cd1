"""What has to be brought up to date when something happened at the payment provider?"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The objects that we follow; each is looked up as a whole with all that hangs on it."""

    PAYMENT = "payment"
    """A payment intent (``pi_…``) with its charges, refunds and disputes."""
    SUBSCRIPTION = "subscription"
    """``sub_…`` with its items, schedule and latest invoice."""
    INVOICE = "invoice"
    """``in_…`` with its lines and payments."""
    CUSTOMER = "customer"
    """``cus_…`` with its payment methods and the default one."""
    TRANSFER = "transfer"
    """``tr_…``, a payout to an author, with what of it was reversed."""
    ACCOUNT = "account"
    """``acct_…``, which an author is paid at."""


@dataclass(frozen=True)
class Target:
    """``object_id`` is the provider's."""

    kind: Kind
    object_id: str
