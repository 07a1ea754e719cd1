"""Acting on events: their objects are brought up to date, and they are marked with the last of these."""

from collections.abc import Sequence
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


async def act_on(tools: Tools, received: Sequence[Received]) -> WebhookStatus:
    """PROCESSED, or IGNORED for what there is nothing to do about. All of them are about the same objects.

    Raises what ``sync`` does: then no event is marked, and their objects may be up to date or not.
    """
    targets = events.targets_of(received[0].event)
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


async def _mark(
    connection: AsyncConnection, tools: Tools, received: Sequence[Received], status: WebhookStatus
) -> None:
    ids = [each.id for each in received]
    await webhook_events.settle(connection, ids, status=status, now=tools.clock())
