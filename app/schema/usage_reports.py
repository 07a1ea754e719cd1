"""Reported usage: the inputs and the answer for each event."""

from datetime import datetime

import strawberry

from app.domain.usage_reports import EventResult, Outcome
from app.schema.enums import Resource
from app.schema.errors import Error, as_data
from app.schema.payloads import Payload
from app.schema.scalars import BigInt

strawberry.enum(Outcome, name="UsageEventStatus", description="What became of a reported event.")


@strawberry.input(description="Something that an account used elsewhere.")
class UsageEventInput:
    event_id: str = strawberry.field(
        description="The reporter's own name of the event, 1 to 255 characters: it counts once."
    )
    user_id: strawberry.ID = strawberry.field(description="The account that used it.")
    resource: Resource = strawberry.field(description="What was used: API_CALL or TEMPLATE_INSTALL.")
    amount: BigInt = strawberry.field(description="How much, from 1 to 1,000,000,000.")
    occurred_at: datetime = strawberry.field(
        description="When; it counts in that month. At most 35 days ago."
    )


@strawberry.input(description="A batch of usage.")
class RecordUsageInput:
    events: list[UsageEventInput] = strawberry.field(description="1 to 1,000 events.")


@strawberry.type(description="What became of one reported event.")
class UsageEventResult:
    event_id: str = strawberry.field(description="The reporter's name of the event.")
    status: Outcome = strawberry.field(
        description="RECORDED now, a DUPLICATE of one recorded before, or REFUSED and not stored."
    )
    error: Error | None = strawberry.field(default=None, description="Why it was refused.")

    @classmethod
    def of(cls, result: EventResult) -> "UsageEventResult":
        error = as_data(result.error) if result.error else None
        return cls(event_id=result.event_id, status=result.outcome, error=error)


@strawberry.type(description="An answer for each event of the batch.")
class RecordUsagePayload(Payload):
    results: list[UsageEventResult] = strawberry.field(
        default_factory=list, description="In the order of the events."
    )
