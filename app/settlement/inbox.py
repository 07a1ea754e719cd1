"""Acting on one event: its objects are brought up to date, and it is marked with the last of them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories import webhook_events
from app.domain.payments import WebhookStatus
from app.domain.webhooks import Event
from app.settlement import events
from app.settlement.syncing import sync
from app.settlement.tools import Tools


@dataclass(frozen=True)
class Received:
    """``id`` is our row's."""

    id: UUID
    event: Event


async def act_on(tools: Tools, received: Received) -> WebhookStatus:
    """PROCESSED, or IGNORED for what there is nothing to do about.

    Raises what ``sync`` does: then the event is not marked, and its objects may be up to date or not.
    """
    targets = events.targets_of(received.event)
    if not targets:
        async with tools.database.transaction() as connection:
            await _mark(connection, tools, received, WebhookStatus.IGNORED)
        return WebhookStatus.IGNORED

    async def finish(connection: AsyncConnection) -> None:
        await _mark(connection, tools, received, WebhookStatus.PROCESSED)

    *others, last = targets
    for target in others:
        await sync(tools, target)
    await sync(tools, last, finish=finish)
    return WebhookStatus.PROCESSED


async def _mark(connection: AsyncConnection, tools: Tools, received: Received, status: WebhookStatus) -> None:
    await webhook_events.settle(connection, received.id, status=status, now=tools.clock())
