"""Background work: decode, read or call one use case, wrap."""

from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import Info

from app.context import Context
from app.db.repositories import outbox
from app.db.repositories import webhook_events as inbox
from app.domain.api_keys import Scope
from app.domain.paging import page
from app.schema.background import (
    Job,
    ReplayJobInput,
    ReplayJobPayload,
    ReplayWebhookEventInput,
    ReplayWebhookEventPayload,
    WebhookEvent,
)
from app.schema.connections import Connection
from app.schema.enums import JobState, WebhookStatus
from app.schema.node import read_id
from app.schema.paging import After, Before, First, Last
from app.services import background

Request = Info[Context, None]


async def webhook_events(
    info: Request,
    status: Annotated[
        WebhookStatus | None, strawberry.argument(description="Only those of this status.")
    ] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[WebhookEvent] | None:
    database, wanted = (
        info.context.deps.database,
        page(order="id", first=first, after=after, last=last, before=before),
    )
    async with database.read() as connection:
        found = await inbox.page_of(connection, status=status, page=wanted)

    async def count(lists: list[Any]) -> list[int]:
        async with database.read() as connection:
            return [await inbox.count(connection, status=status)] * len(lists)

    return Connection[WebhookEvent].of(found, WebhookEvent.from_row, count=count)


async def jobs(
    info: Request,
    state: Annotated[JobState, strawberry.argument(description="Only those of this state.")] = JobState.DEAD,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Job] | None:
    database, wanted = (
        info.context.deps.database,
        page(order="id", first=first, after=after, last=last, before=before),
    )
    async with database.read() as connection:
        found = await outbox.page_of(connection, state=state, page=wanted)

    async def count(lists: list[Any]) -> list[int]:
        async with database.read() as connection:
            return [await outbox.count(connection, state=state)] * len(lists)

    return Connection[Job].of(found, Job.from_row, count=count)


async def replay_webhook_event(
    info: Request, input: ReplayWebhookEventInput
) -> ReplayWebhookEventPayload | None:
    context = info.context
    provider, event_id = context.deps.provider, read_id(input.id, of=WebhookEvent, field="id")
    await background.replay_webhook_event(
        database=context.deps.database,
        viewer=context.me,
        event_id=event_id,
        livemode=provider.livemode if provider else None,
        now=context.now,
    )
    row = await context.loaders.background.webhook_events.load(event_id)
    return ReplayWebhookEventPayload(webhook_event=WebhookEvent.from_row(row))


async def replay_job(info: Request, input: ReplayJobInput) -> ReplayJobPayload | None:
    context, job_id = info.context, read_id(input.id, of=Job, field="id")
    await background.replay_job(
        database=context.deps.database, viewer=context.me, job_id=job_id, now=context.now
    )
    return ReplayJobPayload(job=Job.from_row(await context.loaders.background.jobs.load(job_id)))


async def load_webhook_events(context: Context, ids: list[UUID]) -> list[WebhookEvent | None]:
    """An admin's to see, and nobody else's."""
    if not _is_admin(context):
        return [None] * len(ids)
    rows = await context.loaders.background.webhook_events(ids)
    return [WebhookEvent.from_row(row) if row else None for row in rows]


async def load_jobs(context: Context, ids: list[UUID]) -> list[Job | None]:
    if not _is_admin(context):
        return [None] * len(ids)
    return [Job.from_row(row) if row else None for row in await context.loaders.background.jobs(ids)]


def _is_admin(context: Context) -> bool:
    return context.viewer is not None and context.viewer.may(Scope.ADMIN)
