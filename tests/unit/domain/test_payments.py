"""How often is the provider asked about what it will tell by itself?"""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.payments import PaymentStatus, next_check, payment_status

BEGUN = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "hours, wait",
    [
        (0, timedelta(minutes=5)),
        (1, timedelta(hours=1)),
        (5, timedelta(hours=5)),
        (10, timedelta(hours=6)),
        (20, timedelta(hours=4)),
        (24, timedelta(hours=6)),
        (100, timedelta(hours=6)),
    ],
)
def test_ever_more_seldom_and_when_its_day_is_over(hours: int, wait: timedelta) -> None:
    now = BEGUN + timedelta(hours=hours)
    assert next_check(created_at=BEGUN, now=now) == now + wait


def test_what_waits_for_a_capture_is_under_way() -> None:
    assert payment_status("requires_capture") is PaymentStatus.PROCESSING
    assert [payment_status(each) for each in PaymentStatus] == list(PaymentStatus)
    with pytest.raises(ValueError, match="unheard_of"):
        payment_status("unheard_of")
