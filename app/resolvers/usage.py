"""Usage: decode, call one use case, wrap."""

from uuid import UUID

from strawberry import Info

from app.context import Context
from app.domain.usage_reports import ReportedEvent
from app.schema.accounts import User
from app.schema.node import split_id
from app.schema.usage_reports import (
    RecordUsageInput,
    RecordUsagePayload,
    UsageEventInput,
    UsageEventResult,
)
from app.services import usage


async def record_usage(info: Info[Context, None], input: RecordUsageInput) -> RecordUsagePayload | None:
    context = info.context
    results = await usage.record_batch(
        database=context.deps.database,
        plans=context.deps.plans,
        reporter_id=context.me.user_id,
        events=[_event(given) for given in input.events],
        now=context.now,
    )
    return RecordUsagePayload(results=[UsageEventResult.of(result) for result in results])


def _event(given: UsageEventInput) -> ReportedEvent:
    return ReportedEvent(
        event_id=given.event_id,
        user_id=_user_id(given.user_id),
        resource=given.resource,
        amount=given.amount,
        occurred_at=given.occurred_at,
    )


def _user_id(text: str) -> UUID | None:
    """None for what is no account's id: that refuses one event, not the batch."""
    split = split_id(text)
    return split[1] if split is not None and split[0] == User.__name__ else None
