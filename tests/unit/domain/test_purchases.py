"""Where the money is decides what the licence is."""

import pytest

from app.domain.payments import DisputeStatus
from app.domain.purchases import LicenceStatus, PurchaseStatus, licence_of, purchase_with


@pytest.mark.parametrize(
    "refunded, disputes, licence",
    [
        (0, [], LicenceStatus.ACTIVE),
        (999, [], LicenceStatus.ACTIVE),
        (1000, [], LicenceStatus.REVOKED),
        (1001, [], LicenceStatus.REVOKED),
        (0, [DisputeStatus.NEEDS_RESPONSE], LicenceStatus.SUSPENDED),
        (0, [DisputeStatus.UNDER_REVIEW], LicenceStatus.SUSPENDED),
        (0, [DisputeStatus.WON], LicenceStatus.ACTIVE),
        (0, [DisputeStatus.LOST], LicenceStatus.REVOKED),
        (0, [DisputeStatus.WON, DisputeStatus.NEEDS_RESPONSE], LicenceStatus.SUSPENDED),
        (0, [DisputeStatus.LOST, DisputeStatus.WON], LicenceStatus.REVOKED),
        (1000, [DisputeStatus.WON], LicenceStatus.REVOKED),
        (500, [DisputeStatus.WARNING_NEEDS_RESPONSE], LicenceStatus.ACTIVE),
        (500, [DisputeStatus.WARNING_UNDER_REVIEW], LicenceStatus.ACTIVE),
        (500, [DisputeStatus.WARNING_CLOSED, DisputeStatus.PREVENTED], LicenceStatus.ACTIVE),
    ],
)
def test_the_licence_follows_the_money(
    refunded: int, disputes: list[DisputeStatus], licence: LicenceStatus
) -> None:
    assert licence_of(paid_cents=1000, refunded_cents=refunded, disputes=disputes) is licence


def test_only_what_is_lost_for_good_may_be_bought_again() -> None:
    assert {licence: purchase_with(licence) for licence in LicenceStatus} == {
        LicenceStatus.ACTIVE: PurchaseStatus.COMPLETED,
        LicenceStatus.SUSPENDED: PurchaseStatus.COMPLETED,
        LicenceStatus.REVOKED: PurchaseStatus.REFUNDED,
    }
