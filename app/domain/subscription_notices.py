"""What is an account told when news of its subscription come in?"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.domain.outbox import Topic
from app.domain.subscription_states import Turn
from app.domain.subscriptions import LIVE, SubscriptionStatus

TOLD_BEFORE = timedelta(days=3, hours=1)
"""The end of a trial, so long before. The provider's own notice, three days before, makes us look: by a clock
that is a little behind the provider's, too."""
_PLAN = ("tier", "billing_interval", "cancel_at_period_end", "scheduled_tier", "scheduled_interval")


def notices_of(
    subscription_id: UUID, before: Any, values: Mapping[str, Any], which: Turn, *, now: datetime
) -> Iterator[tuple[Topic, str | None]]:
    """(topic, unique key or None) of each; ``before``: the row as it was, None where it gave no tier.

    A change has no key: the row's own change is what happens once.
    """
    status = values["status"]
    if which is Turn.STOPS:
        stopped = values["current_period_end"].isoformat()
        yield Topic.SUBSCRIPTION_ENDED, f"{Topic.SUBSCRIPTION_ENDED}:{subscription_id}:{stopped}"
    if status not in LIVE:
        return
    if which is Turn.BEGINS or any(getattr(before, name) != values[name] for name in _PLAN):
        yield Topic.SUBSCRIPTION_CHANGED, None
    trial_end = values["trial_end"]
    if status == SubscriptionStatus.TRIALING and trial_end and trial_end - now <= TOLD_BEFORE:
        yield Topic.TRIAL_ENDING, f"{Topic.TRIAL_ENDING}:{subscription_id}:{trial_end.isoformat()}"
