"""The catalogue as it is read: one package, pages of them, their number, and how they fall into groups."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Row,
    Select,
    Text,
    cast,
    false,
    func,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database
from app.db.models import Author, Category, Package, PackageCategory, PackageTag, PackageVersion
from app.db.reads import Query, given
from app.db.repositories import search
from app.db.repositories.keyset import Key, PagedList, read_page
from app.domain.listing import Criteria, PackageFilter, PackageSort
from app.domain.paging import Page, Slice
from app.domain.search import Question

PACKAGE: tuple[Any, ...] = (
    Package.id,
    Package.author_id,
    Package.slug,
    Package.name,
    Package.license,
    Package.price_cents,
    Package.currency,
    Package.status,
    Package.downloads,
    Package.rating_sum,
    Package.rating_count,
    Package.created_at,
    Package.updated_at,
    Package.published_at,
)
"""Without description and readme, which are long: who asks for them loads them."""

VERSION: tuple[Any, ...] = (
    PackageVersion.id,
    PackageVersion.package_id,
    PackageVersion.version,
    PackageVersion.changelog,
    PackageVersion.status,
    PackageVersion.yank_reason,
    PackageVersion.published_at,
    PackageVersion.yanked_at,
)

# Written out, because SQLite takes a partial index only where its condition stands in the statement.
LISTED = text("packages.status IN ('published', 'deprecated')")

SORT_KEYS: Mapping[PackageSort, list[Key]] = {
    PackageSort.DOWNLOADS: [(Package.downloads, True), (Package.id, True)],
    PackageSort.NEWEST: [(Package.published_at, True), (Package.id, True)],
    PackageSort.RATING: [(Package.rating_score, True), (Package.id, True)],
    PackageSort.NAME: [(Package.name_key, False), (Package.id, False)],
}
DIGITS = 20
"""More than the number of downloads can have."""


BY_SLUG = Query(select(*PACKAGE).where(Package.slug == given("slug", Package.slug.type)))
"""In whatever state it is."""


async def understand(connection: AsyncConnection, criteria: Criteria) -> Criteria:
    """The criteria with slips of the pen corrected; what the other functions here take."""
    if criteria.question is None:
        return criteria
    return replace(criteria, question=await search.understand(connection, criteria.question))


async def page_of(
    database: Database, criteria: Criteria, *, sort: PackageSort, page: Page
) -> Slice[Row[Any]]:
    sort = effective_sort(criteria, sort)
    if criteria.question is None:
        return await listed_without_question(criteria.filter, sort).read(database, page)
    if sort is PackageSort.RELEVANCE:
        listed, keys = _by_relevance(criteria, database.dialect)
    else:
        listed = listed_packages(select(*PACKAGE), criteria, database.dialect)
        keys = SORT_KEYS[sort]
    async with database.read() as connection:
        return await read_page(connection, listed, keys=keys, page=page, order=sort)


@lru_cache(maxsize=200)
def listed_without_question(filter: PackageFilter, sort: PackageSort) -> PagedList:
    """The lists that many look at."""
    listed = select(*PACKAGE).where(LISTED, *_conditions(filter))
    return PagedList(listed, keys=SORT_KEYS[sort], order=sort)


def effective_sort(criteria: Criteria, sort: PackageSort) -> PackageSort:
    """Relevance without a question is what most people took: it says most about a stranger's wish."""
    relevance = sort is PackageSort.RELEVANCE and criteria.question is None
    return PackageSort.DOWNLOADS if relevance else sort


async def count(connection: AsyncConnection, criteria: Criteria) -> int:
    statement = select(func.count()).select_from(Package)
    counted = listed_packages(statement, criteria, connection.dialect.name)
    number: int = (await connection.execute(counted)).scalar_one()
    return number


def listed_packages(statement: Select[Any], criteria: Criteria, dialect: str) -> Select[Any]:
    """``statement`` over the packages that meet the criteria."""
    statement = statement.where(LISTED, *_conditions(criteria.filter))
    if criteria.question is None:
        return statement
    if _is_hopeless(criteria.question):
        return statement.where(false())
    return statement.where(Package.id.in_(search.answering(dialect, criteria.question)))


def _is_hopeless(question: Question) -> bool:
    return not question.terms or not all(term.words for term in question.terms)


def _by_relevance(criteria: Criteria, dialect: str) -> tuple[Select[Any], list[Key]]:
    if criteria.question is None or _is_hopeless(criteria.question):
        return listed_packages(select(*PACKAGE), criteria, dialect), [(Package.id, True)]
    found = search.matches(dialect, criteria.question)
    statement = select(*PACKAGE).where(LISTED, *_conditions(criteria.filter))
    statement = statement.join(found, found.c.package_id == Package.id)
    return statement, [(_score(found), True), (Package.id, True)]


def _score(found: CTE) -> ColumnElement[int]:
    """Among packages that answer alike, the one whose downloads have more digits.

    Digits rather than downloads: the order holds still between two pages, unless one passes a power of ten.
    """
    digits = cast(func.length(cast(Package.downloads, Text)), BigInteger)
    return cast(found.c.score, BigInteger) * DIGITS + digits


def _conditions(given: PackageFilter) -> list[ColumnElement[bool]]:
    return [*_label_conditions(given), *_price_conditions(given), *_rating_conditions(given)]


def _label_conditions(given: PackageFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if given.category is not None:
        labelled = select(PackageCategory.package_id).where(PackageCategory.category == given.category)
        conditions.append(Package.id.in_(labelled))
    if given.tag is not None:
        conditions.append(Package.id.in_(select(PackageTag.package_id).where(PackageTag.tag == given.tag)))
    if given.author_key is not None:
        author = select(Author.id).where(Author.username_key == given.author_key)
        conditions.append(Package.author_id == author.scalar_subquery())
    if given.license is not None:
        conditions.append(Package.license == given.license)
    return conditions


def _price_conditions(given: PackageFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if given.min_price_cents is not None:
        conditions.append(Package.price_cents >= given.min_price_cents)
    if given.max_price_cents is not None:
        conditions.append(Package.price_cents <= given.max_price_cents)
    if given.currency is not None:
        conditions.append(Package.currency == given.currency)
    if given.free is not None:
        conditions.append(Package.price_cents == 0 if given.free else Package.price_cents > 0)
    return conditions


def _rating_conditions(given: PackageFilter) -> list[ColumnElement[bool]]:
    return [] if given.min_rating is None else [rated_at_least(given.min_rating)]


def rated_at_least(hundredths: int) -> ColumnElement[bool]:
    """By the average as it is shown (``reviews.average``), in integers: what shows 4.67 is at least 4.67."""
    shown = 200 * Package.rating_sum + Package.rating_count >= 2 * hundredths * Package.rating_count
    return (Package.rating_count > 0) & shown


async def categories(connection: AsyncConnection) -> list[Row[Any]]:
    """All of them by name, with the number of packages listed in each."""
    listed = (
        select(PackageCategory.category, func.count().label("package_count"))
        .where(PackageCategory.package_id.in_(select(Package.id).where(LISTED)))
        .group_by(PackageCategory.category)
        .subquery()
    )
    statement = (
        select(Category.slug, Category.name, func.coalesce(listed.c.package_count, 0).label("package_count"))
        .outerjoin(listed, listed.c.category == Category.slug)
        .order_by(Category.name, Category.slug)
    )
    return list((await connection.execute(statement)).all())
