"""Background work that was given up is begun again, by an admin who has removed the reason."""

from datetime import datetime
from uuid import UUID

from app.db.database import Database
from app.db.repositories import audit, outbox, webhook_events
from app.domain.errors import Conflict, NotFound
from app.domain.outbox import FactState
from app.domain.viewer import Viewer


async def replay_webhook_event(
    *, database: Database, viewer: Viewer, event_id: UUID, livemode: bool | None, now: datetime
) -> None:
    """Acts on an event again, whatever became of it: nothing happens that is so already.

    ``livemode``: the mode of our own key. Raises NotFound, and Conflict for an event of the other mode.
    """
    async with database.transaction() as connection:
        event = await webhook_events.by_id(connection, event_id)
        if event is None:
            raise NotFound("An event with this id", field="id")
        if livemode is not None and event.livemode is not None and event.livemode != livemode:
            raise Conflict("The event is of the other mode (live or test) than this server.", field="id")
        await webhook_events.replay(connection, event_id, now=now)
        await audit.note(
            connection,
            "replay_webhook_event",
            actor_id=viewer.user_id,
            subject_id=event_id,
            now=now,
            event=event.stripe_event_id,
            status=event.status,
        )


async def replay_job(*, database: Database, viewer: Viewer, job_id: UUID, now: datetime) -> None:
    """Tries a dead job again; what was done is not done twice.

    Raises NotFound, and Conflict for a job that is not dead.
    """
    async with database.transaction() as connection:
        job = await outbox.by_id(connection, job_id)
        if job is None:
            raise NotFound("A job with this id", field="id")
        if not await outbox.replay(connection, job_id, now=now):
            state = "waits to be tried" if job.state == FactState.WAITING else "was done"
            raise Conflict(f"Only a dead job can be tried again: this one {state}.", field="id")
        await audit.note(
            connection, "replay_job", actor_id=viewer.user_id, subject_id=job_id, now=now, topic=job.topic
        )
