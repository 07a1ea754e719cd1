"""One dataloader a question, each with a session of its own; lists are cut to their page by who asks."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from strawberry.dataloader import DataLoader

from app.db.models import ApiKey, Author, Invoice, Package, PackageVersion, Subscription
from app.domain.subscriptions import LIVE

Sessions = async_sessionmaker[AsyncSession]


class Loaders:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self.subscriptions = self._one(
            select(Subscription).where(Subscription.status.in_(LIVE)), Subscription.user_id
        )
        self.authors = self._one(select(Author), Author.id)
        self.packages_by_id = self._one(select(Package), Package.id)
        self.api_keys = self._many(select(ApiKey).order_by(ApiKey.id.desc()), ApiKey.user_id)
        self.invoices = self._many(select(Invoice).order_by(Invoice.id.desc()), Invoice.user_id)
        self.versions = self._many(
            select(PackageVersion).order_by(PackageVersion.sort_key.desc(), PackageVersion.id.desc()),
            PackageVersion.package_id,
        )
        self.packages = self._many(
            select(Package)
            .where(Package.status.in_(("published", "deprecated")))
            .order_by(Package.published_at.desc(), Package.id.desc()),
            Package.author_id,
        )

    def _one(self, statement: Any, key: Any) -> DataLoader[UUID, Any]:
        async def load(ids: Sequence[UUID]) -> list[Any]:
            found = {getattr(row, key.key): row for row in await self._rows(statement, key, ids)}
            return [found.get(each) for each in ids]

        return DataLoader(load_fn=load)

    def _many(self, statement: Any, key: Any) -> DataLoader[UUID, list[Any]]:
        async def load(ids: Sequence[UUID]) -> list[list[Any]]:
            found = defaultdict(list)
            for row in await self._rows(statement, key, ids):
                found[getattr(row, key.key)].append(row)
            return [found[each] for each in ids]

        return DataLoader(load_fn=load)

    async def _rows(self, statement: Any, key: Any, ids: Sequence[UUID]) -> Sequence[Any]:
        async with self._sessions() as session:
            return (await session.scalars(statement.where(key.in_(ids)))).all()
