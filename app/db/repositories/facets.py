"""How do the packages that meet the criteria fall into groups, and how many are in each?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import CTE, Select, Text, case, cast, func, literal, literal_column, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.models import Author, Package, PackageCategory
from app.db.repositories.catalog import listed_packages, rated_at_least
from app.domain.listing import Criteria

MOST_VALUES = 50
STARS = (4, 3, 2, 1)


@dataclass(frozen=True)
class Facet:
    """``count`` packages have ``value``."""

    value: str
    count: int


@dataclass
class Facets:
    """Each with the most frequent value first; of ``ratings``, n counts the packages with n stars or more."""

    categories: list[Facet] = field(default_factory=list)
    licenses: list[Facet] = field(default_factory=list)
    authors: list[Facet] = field(default_factory=list)
    prices: list[Facet] = field(default_factory=list)
    ratings: list[Facet] = field(default_factory=list)


async def facets(connection: AsyncConnection, criteria: Criteria) -> Facets:
    """By one statement: the packages are found once and grouped five ways."""
    found = _found(criteria, connection.dialect.name)
    groups = (_categories(found), _licenses(found), _authors(found), _prices(found), *_ratings(found))
    result = Facets()
    for name, value, count in (await connection.execute(union_all(*groups))).all():
        if count:
            getattr(result, name).append(Facet(value, count))
    for listed in (result.categories, result.licenses, result.authors, result.prices):
        _sort(listed)
    return result


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


def _sort(listed: list[Facet]) -> None:
    listed.sort(key=lambda facet: (-facet.count, facet.value))
