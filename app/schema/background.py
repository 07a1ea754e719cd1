"""Background work as an admin sees it: events of the payment provider, and jobs."""

from datetime import datetime
from typing import Any

import strawberry

from app.schema.enums import JobState, WebhookStatus
from app.schema.node import Node
from app.schema.payloads import Payload


@strawberry.type(description="An event of the payment provider, as it was received.")
class WebhookEvent(Node):
    stripe_event_id: str = strawberry.field(description="The provider's id of the event.")
    event_type: str = strawberry.field(description="Such as `invoice.paid`.")
    object_type: str | None = strawberry.field(description="What it is about, such as `invoice`.")
    object_id: str | None = strawberry.field(description="The provider's id of what it is about.")
    status: WebhookStatus = strawberry.field(description="What became of it.")
    attempts: int = strawberry.field(description="How often acting on it was tried, since the last replay.")
    last_error: str | None = strawberry.field(description="Why the last attempt failed.")
    livemode: bool | None = strawberry.field(description="Whether it is about real money.")
    api_version: str | None = strawberry.field(description="The version of the API that it is written in.")
    happened_at: datetime | None = strawberry.field(description="When it happened at the provider.")
    received_at: datetime = strawberry.field(description="When it came here.")
    available_at: datetime = strawberry.field(description="When it is tried next, while it waits.")
    processed_at: datetime | None = strawberry.field(description="When it was acted on or ignored.")

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "WebhookEvent":
        return super().from_row(row, status=WebhookStatus(row.status), **given)


@strawberry.type(description="A piece of background work, such as a mail to send.")
class Job(Node):
    topic: str = strawberry.field(description="What it is about, such as `purchase.completed`.")
    state: JobState = strawberry.field(description="What became of it.")
    attempts: int = strawberry.field(description="How often it was tried, since the last replay.")
    last_error: str | None = strawberry.field(description="Why the last attempt failed.")
    created_at: datetime = strawberry.field(description="When it was stated.")
    available_at: datetime = strawberry.field(description="When it is tried next, while it waits.")
    done_at: datetime | None = strawberry.field(description="When it was done.")

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> "Job":
        return super().from_row(row, state=JobState(row.state), **given)


@strawberry.input(description="The event to act on once more.")
class ReplayWebhookEventInput:
    id: strawberry.ID = strawberry.field(description="The event's id.")


@strawberry.type(description="The event, which waits again.")
class ReplayWebhookEventPayload(Payload):
    webhook_event: WebhookEvent | None = strawberry.field(default=None, description="The event.")


@strawberry.input(description="The job to try once more.")
class ReplayJobInput:
    id: strawberry.ID = strawberry.field(description="The job's id.")


@strawberry.type(description="The job, which waits again.")
class ReplayJobPayload(Payload):
    job: Job | None = strawberry.field(default=None, description="The job.")
