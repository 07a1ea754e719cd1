"""Reviews: one of each account and package, and the sums that the package carries."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import Package, Review, User

REVIEW: tuple[Any, ...] = (
    Review.id,
    Review.package_id,
    Review.user_id,
    Review.rating,
    Review.title,
    Review.body,
    Review.created_at,
    Review.updated_at,
    User.username.label("reviewer_username"),
)
"""Of a review joined with its user, who may have left: then the name says so."""


async def of_user(connection: AsyncConnection, *, package_id: UUID, user_id: UUID) -> Row[Any] | None:
    columns: tuple[Any, ...] = (Review.id, Review.rating)
    statement = select(*columns).where(Review.package_id == package_id, Review.user_id == user_id)
    return (await connection.execute(statement)).one_or_none()


async def add(
    connection: AsyncConnection,
    *,
    package_id: UUID,
    user_id: UUID,
    rating: int,
    title: str | None,
    body: str,
    now: datetime,
) -> UUID:
    review_id = new_id()
    await connection.execute(
        insert(Review).values(
            id=review_id,
            package_id=package_id,
            user_id=user_id,
            rating=rating,
            title=title,
            body=body,
            created_at=now,
            updated_at=now,
        )
    )
    return review_id


async def change(
    connection: AsyncConnection, review_id: UUID, *, rating: int, title: str | None, body: str, now: datetime
) -> None:
    await connection.execute(
        update(Review)
        .where(Review.id == review_id)
        .values(rating=rating, title=title, body=body, updated_at=now)
    )


async def rate(connection: AsyncConnection, package_id: UUID, *, total: int, count: int, score: int) -> None:
    """The caller holds the package locked since it read the sums."""
    await connection.execute(
        update(Package)
        .where(Package.id == package_id)
        .values(rating_sum=total, rating_count=count, rating_score=score)
    )
