"""Authors: how an account begins to publish."""

from datetime import datetime

from app.db.database import Database
from app.db.repositories import accounts, audit, authors
from app.domain.api_keys import Role
from app.domain.viewer import Viewer


async def become(*, database: Database, viewer: Viewer, now: datetime) -> None:
    """A customer's account becomes an author's; doing it twice is no error. Raises Conflict (name taken)."""
    async with database.transaction() as connection:
        await accounts.hold(connection, viewer.user_id)
        if await authors.by_user(connection, viewer.user_id) is None:
            await authors.ensure(connection, user_id=viewer.user_id, username=viewer.username, now=now)
            await audit.note(
                connection, "become_author", actor_id=viewer.user_id, subject_id=viewer.user_id, now=now
            )
        await accounts.promote(connection, viewer.user_id, before=Role.CUSTOMER, after=Role.AUTHOR, now=now)
