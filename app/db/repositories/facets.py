"""How do the packages that meet the criteria fall into groups, and how many are in each?"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CTE, Select, Text, case, cast, func, literal, literal_column, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import Author, Package, PackageCategory
from app.db.repositories.catalog import listed_packages, rated_at_least
from app.domain.listing import Criteria

MOST_VALUES = 50
STARS = (4, 3, 2, 1)


FACETS = ("categories", "licenses", "authors", "prices", "ratings")


async def facets(connection: AsyncConnection, criteria: Criteria) -> dict[str, list[tuple[str, int]]]:
    """(value, number of packages) of each facet, the most frequent first; none that no package has.

    By one statement: the packages are found once and grouped five ways. Of the ratings, n counts the packages
    with n stars or more, and 4 comes first.
    """
    found = _found(criteria, connection.dialect.name)
    groups = (_categories(found), _licenses(found), _authors(found), _prices(found), *_ratings(found))
    result: dict[str, list[tuple[str, int]]] = {name: [] for name in FACETS}
    for name, value, packages in (await connection.execute(union_all(*groups))).all():
        if packages:
            result[name].append((value, packages))
    return {
        name: pairs if name == "ratings" else sorted(pairs, key=_frequency) for name, pairs in result.items()
    }


def _frequency(pair: tuple[str, int]) -> tuple[int, str]:
    return -pair[1], pair[0]


def _found(criteria: Criteria, dialect: str) -> CTE:
    columns = (Package.id, Package.author_id, Package.license, Package.price_cents)
    stars = case(*((rated_at_least(100 * each), each) for each in STARS), else_=0).label("stars")
    return listed_packages(select(*columns, stars), criteria, dialect).cte("found")


def _categories(found: CTE) -> Select[Any]:
    grouped = (
        select(PackageCategory.category.label("value"), func.count().label("packages"))
        .join(found, found.c.id == PackageCategory.package_id)
        .group_by(PackageCategory.category)
    )
    return _most("categories", grouped)


def _licenses(found: CTE) -> Select[Any]:
    grouped = select(found.c.license.label("value"), func.count().label("packages")).group_by(found.c.license)
    return _most("licenses", grouped)


def _authors(found: CTE) -> Select[Any]:
    counts = select(found.c.author_id, func.count().label("packages")).group_by(found.c.author_id).subquery()
    named = select(Author.username.label("value"), counts.c.packages).join(
        counts, counts.c.author_id == Author.id
    )
    return _most("authors", named)


def _prices(found: CTE) -> Select[Any]:
    kind = case((found.c.price_cents == 0, "free"), else_="paid")
    grouped = select(kind.label("value"), func.count().label("packages")).group_by(literal_column("1"))
    return _most("prices", grouped)


def _ratings(found: CTE) -> Sequence[Select[Any]]:
    return [
        _named(
            "ratings",
            select(literal(str(each)).label("value"), func.count().label("packages")).where(
                found.c.stars >= each
            ),
        )
        for each in STARS
    ]


def _most(name: str, grouped: Select[*tuple[Any, ...]]) -> Select[Any]:
    """The most frequent; among equals by name, so that two answers are the same."""
    values = grouped.subquery()
    most = select(values).order_by(values.c.packages.desc(), values.c.value).limit(MOST_VALUES)
    return _named(name, most)


def _named(name: str, grouped: Select[*tuple[Any, ...]]) -> Select[Any]:
    values = grouped.subquery()
    return select(literal_column(f"'{name}'").label("facet"), cast(values.c.value, Text), values.c.packages)
