"""What an account is told, and under which key, so that it is told once."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app.domain.outbox import Topic
from app.domain.subscription_notices import notices_of
from app.domain.subscription_states import turn
from app.domain.subscriptions import SubscriptionStatus

ID = UUID(int=7)
END = datetime(2026, 12, 22, tzinfo=UTC)
PRO: dict[str, Any] = {
    "status": SubscriptionStatus.ACTIVE,
    "tier": "pro",
    "billing_interval": "month",
    "cancel_at_period_end": False,
    "scheduled_tier": None,
    "scheduled_interval": None,
    "current_period_end": END,
    "trial_end": None,
}


def told(
    before: dict[str, Any] | None, *, now: datetime = END - timedelta(days=9), **after: Any
) -> list[Any]:
    values = {**PRO, **after}
    which = turn(before["status"] if before else None, values["status"])
    row = SimpleNamespace(**before) if before else None
    return list(notices_of(ID, row, values, which, now=now))


CHANGED = (Topic.SUBSCRIPTION_CHANGED, None)
ENDED = (Topic.SUBSCRIPTION_ENDED, f"subscription.ended:{ID}:2026-12-22T00:00:00+00:00")


def test_a_beginning_and_an_end() -> None:
    assert told(None) == [CHANGED]
    assert told({**PRO, "status": SubscriptionStatus.INCOMPLETE}) == [CHANGED]
    for status in ("canceled", "unpaid", "paused"):
        assert told(PRO, status=SubscriptionStatus(status)) == [ENDED]


@pytest.mark.parametrize("status", ["incomplete", "incomplete_expired", "canceled"])
def test_what_never_gave_a_plan_is_not_spoken_of(status: str) -> None:
    assert told(None, status=SubscriptionStatus(status)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"tier": "enterprise"},
        {"billing_interval": "year"},
        {"cancel_at_period_end": True},
        {"scheduled_tier": "pro", "scheduled_interval": "year"},
    ],
)
def test_every_change_of_the_plan_is_told_both_ways(change: dict[str, Any]) -> None:
    assert told(PRO, **change) == [CHANGED]
    assert told({**PRO, **change}) == [CHANGED]


def test_a_renewal_and_a_failed_payment_are_no_change() -> None:
    assert told(PRO, current_period_end=END + timedelta(days=31)) == []
    assert told(PRO, status=SubscriptionStatus.PAST_DUE) == []
    assert told({**PRO, "status": SubscriptionStatus.PAST_DUE}) == []


@pytest.mark.parametrize(
    ("left", "expected"), [(timedelta(days=3, hours=1, seconds=1), 0), (timedelta(days=3, hours=1), 1)]
)
def test_the_end_of_a_trial_is_told_three_days_before(left: timedelta, expected: int) -> None:
    trial = {**PRO, "status": SubscriptionStatus.TRIALING, "trial_end": END}
    ending = (Topic.TRIAL_ENDING, f"subscription.trial_ending:{ID}:2026-12-22T00:00:00+00:00")
    assert told(trial, now=END - left, **trial) == [ending] * expected
