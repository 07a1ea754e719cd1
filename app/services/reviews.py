"""Reviews: an owner rates a package, once, and may think again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database
from app.db.repositories import purchases, reviews
from app.domain import reviews as rules
from app.domain.errors import Conflict, InvalidState, NotFound, NotOwned
from app.domain.lifecycle import PackageStatus
from app.domain.viewer import Viewer


async def review(
    *,
    database: Database,
    viewer: Viewer,
    package_id: UUID,
    rating: int,
    title: str | None,
    body: str,
    now: datetime,
) -> UUID:
    """The review's id; a second one takes the place of the first, which keeps its date.

    Raises InvalidInput, NotFound, NotOwned, InvalidState, Conflict (the author's own package).
    """
    rating, body = rules.rating(rating), rules.body(body)
    title = rules.title(title) if title else None
    async with database.transaction() as connection:
        package = await _package_for(connection, viewer, package_id)
        earlier = await reviews.of_user(connection, package_id=package_id, user_id=viewer.user_id)
        if earlier is None:
            review_id = await reviews.add(
                connection,
                package_id=package_id,
                user_id=viewer.user_id,
                rating=rating,
                title=title,
                body=body,
                now=now,
            )
        else:
            review_id = earlier.id
            await reviews.change(connection, review_id, rating=rating, title=title, body=body, now=now)
        total = package.rating_sum + rating - (earlier.rating if earlier else 0)
        count = package.rating_count + (0 if earlier else 1)
        await reviews.rate(connection, package_id, total=total, count=count, score=rules.score(total, count))
    return review_id


async def _package_for(connection: AsyncConnection, viewer: Viewer, package_id: UUID) -> Any:
    package = await purchases.lock_package(connection, package_id)
    own = package is not None and package.author_user_id == viewer.user_id
    if package is None or (package.status == PackageStatus.DRAFT and not (own or viewer.is_staff)):
        raise NotFound("A package with this id", field="packageId")
    if own:
        raise Conflict("This is your own package: its reviews are written by others.", field="packageId")
    if not await purchases.has_completed(connection, user_id=viewer.user_id, package_id=package_id):
        raise NotOwned(package.slug)
    if package.status == PackageStatus.YANKED:
        raise InvalidState(what="The package", state=package.status, action="be reviewed")
    return package
