"""Reviews: by owners, one each, and the package's sums follow exactly."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.db.database import Database
from app.db.ids import new_id
from app.db.models import Package, Purchase, Review
from app.domain.api_keys import Role
from app.domain.errors import Conflict, DomainError, InvalidInput, InvalidState, NotFound, NotOwned
from app.domain.reviews import score
from app.services.reviews import review
from tests.support.factories import (
    NOW,
    make_author,
    make_package,
    make_purchase,
    make_user,
    make_version,
    viewer_of,
)


async def write(database: Database, user: SimpleNamespace, package: Any, rating: int, **given: Any) -> UUID:
    return await review(
        **{
            "database": database,
            "viewer": viewer_of(user),
            "package_id": package.id,
            "rating": rating,
            "title": None,
            "body": "",
            "now": NOW,
            **given,
        }
    )


async def rows(database: Database, model: Any) -> list[Any]:
    async with database.read() as connection:
        return list((await connection.execute(select(*model.__table__.columns))).all())


async def sums(database: Database) -> tuple[int, int, int]:
    [package] = await rows(database, Package)
    return package.rating_sum, package.rating_count, package.rating_score


@pytest.fixture
async def package(database: Database) -> SimpleNamespace:
    package = await make_package(database)
    package.version = await make_version(database, package=package)
    return package


async def _owner(database: Database, package: SimpleNamespace, **given: Any) -> SimpleNamespace:
    user = await make_user(database)
    await make_purchase(database, user=user, package=package, version=package.version, **given)
    return user


async def test_an_owner_rates(database: Database, package: SimpleNamespace) -> None:
    user = await _owner(database, package)
    review_id = await write(database, user, package, 4, title=" Good ", body="Saved me\r\na week.")
    [row] = await rows(database, Review)
    assert row._mapping == {
        "id": review_id,
        "package_id": package.id,
        "user_id": user.id,
        "rating": 4,
        "title": "Good",
        "body": "Saved me\na week.",
        "created_at": NOW,
        "updated_at": NOW,
    }
    assert await sums(database) == (4, 1, 31_666)


async def test_a_second_thought_takes_the_first_ones_place(
    database: Database, package: SimpleNamespace
) -> None:
    user, other = await _owner(database, package), await _owner(database, package)
    await write(database, other, package, 5)
    first = await write(database, user, package, 1, title="Bad")
    again = await write(database, user, package, 3, body="Better.", now=NOW + timedelta(days=1))
    assert again == first
    [row] = [row for row in await rows(database, Review) if row.user_id == user.id]
    assert (row.rating, row.title, row.body) == (3, None, "Better.")
    assert (row.created_at, row.updated_at) == (NOW, NOW + timedelta(days=1))
    assert await sums(database) == (8, 2, 32_857)


async def _refused(
    database: Database, error: type[DomainError], user: SimpleNamespace, package: Any, **given: Any
) -> None:
    before = await rows(database, Review), await rows(database, Package)
    with pytest.raises(error):
        await write(database, user, package, given.pop("rating", 5), **given)
    assert (await rows(database, Review), await rows(database, Package)) == before


@pytest.mark.parametrize(
    "given",
    [
        {"rating": 0},
        {"rating": 6},
        {"rating": -1},
        {"title": "x" * 121},
        {"title": "two\nlines"},
        {"body": "x" * 5001},
        {"body": "\x00"},
    ],
)
async def test_unfit_reviews(database: Database, package: SimpleNamespace, given: dict[str, Any]) -> None:
    await _refused(database, InvalidInput, await _owner(database, package), package, **given)


@pytest.mark.parametrize("status", ["pending", "canceled", "refunded", None])
async def test_only_a_completed_purchase_counts(
    database: Database, package: SimpleNamespace, status: str | None
) -> None:
    user = await _owner(database, package, licence=None) if status else await make_user(database)
    if status:
        async with database.transaction() as connection:
            await connection.execute(update(Purchase).values(status=status, completed_at=None))
    await _refused(database, NotOwned, user, package)


async def test_nobody_reviews_his_own_package(database: Database) -> None:
    user = await make_user(database, role=Role.AUTHOR)
    package = await make_package(database, author=await make_author(database, user=user))
    version = await make_version(database, package=package)
    await make_purchase(database, user=user, package=package, version=version)
    await _refused(database, Conflict, user, package)


async def test_what_is_not_to_be_had(database: Database, package: SimpleNamespace) -> None:
    user = await _owner(database, package)
    async with database.transaction() as connection:
        await connection.execute(update(Package).values(status="yanked"))
    await _refused(database, InvalidState, user, package)
    async with database.transaction() as connection:
        await connection.execute(update(Package).values(status="draft"))
    await _refused(database, NotFound, user, package)
    await _refused(database, NotFound, user, SimpleNamespace(id=new_id()))


async def test_many_at_once_add_up(database: Database, package: SimpleNamespace) -> None:
    users = [await _owner(database, package) for _ in range(10)]
    await asyncio.gather(*(write(database, user, package, 1 + n % 5) for n, user in enumerate(users)))
    assert await sums(database) == (30, 10, 30_000)


async def test_one_account_at_once_is_one_review(database: Database, package: SimpleNamespace) -> None:
    user = await _owner(database, package)
    ids = await asyncio.gather(*(write(database, user, package, 1 + n % 5) for n in range(10)))
    [row] = await rows(database, Review)
    assert set(ids) == {row.id}
    assert await sums(database) == (row.rating, 1, score(row.rating, 1))


def test_the_score_trusts_many_more_than_few() -> None:
    assert (score(0, 0), score(5, 1), score(1, 1), score(980, 200)) == (0, 33_333, 26_666, 48_536)
    assert score(980, 200) > score(5, 1) > score(1, 1) > score(0, 0)
