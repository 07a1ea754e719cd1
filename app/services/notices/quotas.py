"""Notices about limits that are near, or reached."""

from datetime import datetime
from uuid import UUID

from app.db.repositories import accounts
from app.domain.plans import Resource
from app.services.notices.post import Post, spelt

UNITS = {
    Resource.API_CALL: "API calls",
    Resource.TEMPLATE_INSTALL: "templates",
    Resource.CONCURRENT_INSTALLATION: "installations at a time",
    Resource.STORAGE_BYTES: "bytes of storage",
}


async def quota(
    post: Post,
    *,
    user_id: UUID,
    resource: Resource,
    used: int,
    limit: int,
    percent: int,
    resets_at: datetime | None,
    key: str,
) -> None:
    """Tells that 80 % or 100 % of a limit are used. Raises MailError."""
    async with post.database.read() as connection:
        user = await accounts.by_id(connection, user_id)
    if user is not None:
        await post.send(
            "quota",
            key=key,
            to=user.email,
            username=user.username,
            what=UNITS[resource],
            used=used,
            limit=limit,
            percent=percent,
            resets_at=spelt(resets_at) if resets_at else None,
        )
