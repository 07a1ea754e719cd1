"""Reviews by id, those of each package, and the one that an account wrote."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, tuple_
from strawberry.dataloader import DataLoader

from app.dataloaders.by_id import rows_by_id
from app.dataloaders.lists import counts_by_parent, pages_by_parent
from app.db.database import Database
from app.db.models import Review, User
from app.db.repositories.reviews import REVIEW

_REVIEWS = select(*REVIEW).join(User, User.id == Review.user_id)


class ReviewLoaders:
    def __init__(self, database: Database) -> None:
        self.reviews = rows_by_id(database, _REVIEWS, Review.id)
        self.pages = pages_by_parent(
            database, _REVIEWS, Review.package_id, keys=[(Review.id, True)], order="id"
        )
        self.counts = counts_by_parent(database, select(func.count(Review.id)), Review.package_id)
        self.written = _written(database)

    def clear(self) -> None:
        for loader in (self.reviews, self.pages, self.counts, self.written):
            loader.clear_all()


def _written(database: Database) -> DataLoader[tuple[UUID, UUID], Row[Any] | None]:
    """The review of (package, user)."""

    async def load(pairs: list[tuple[UUID, UUID]]) -> list[Row[Any] | None]:
        wanted = _REVIEWS.where(tuple_(Review.package_id, Review.user_id).in_(pairs))
        async with database.read() as connection:
            rows = (await connection.execute(wanted)).all()
        found = {(row.package_id, row.user_id): row for row in rows}
        return [found.get(pair) for pair in pairs]

    return DataLoader(load_fn=load)
