"""Reviews by id, those of each package, and the one that an account wrote."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from app.dataloaders.by_id import rows_by_id
from app.dataloaders.lists import counts_by_parent, pages_by_parent
from app.dataloaders.loader import LoaderGroup, loader
from app.db.database import Database
from app.db.models import Review, User
from app.db.reads import Query, among
from app.db.repositories.reviews import REVIEW

_REVIEWS = select(*REVIEW).join(User, User.id == Review.user_id)
_WRITTEN = Query(_REVIEWS.where(among(Review.package_id, "packages"), among(Review.user_id, "users")))


class ReviewLoaders(LoaderGroup):
    reviews = rows_by_id(_REVIEWS, Review.id)
    pages = pages_by_parent(_REVIEWS, Review.package_id, keys=[(Review.id, True)], order="id")
    counts = counts_by_parent(select(func.count(Review.id)), Review.package_id)

    @loader
    @staticmethod
    async def written(database: Database, pairs: list[tuple[UUID, UUID]]) -> list[Row[Any] | None]:
        """The review of (package, user). By two lists: for pairs SQLite reads the whole table."""
        packages, users = {package_id for package_id, _ in pairs}, {user_id for _, user_id in pairs}
        rows = await database.rows(_WRITTEN, packages=packages, users=users)
        found = {(row.package_id, row.user_id): row for row in rows}
        return [found.get(pair) for pair in pairs]
