"""Search and lists: what is found, in which order, under which filter; pages both ways; any text is taken."""

import json
from datetime import timedelta
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update

from app.db.database import Database
from app.db.models import Package
from app.db.repositories import authors, catalog, facets, search
from app.domain.errors import InvalidInput
from app.domain.listing import Criteria, PackageSort, package_filter
from app.domain.paging import Page, page, read_cursor
from app.domain.search import question
from tests.support.catalogue import listed
from tests.support.clients import Api
from tests.support.factories import NOW, make_author, make_package, make_user

SORTS = list(PackageSort)


async def criteria_of(database: Database, query: str | None = None, **filter: Any) -> Criteria:
    asked = Criteria(filter=package_filter(**filter), question=question(query))
    async with database.read() as connection:
        return await catalog.understand(connection, asked)


async def found(
    database: Database,
    query: str | None = None,
    *,
    sort: PackageSort = PackageSort.RELEVANCE,
    **filter: Any,
) -> list[str]:
    criteria = await criteria_of(database, query, **filter)
    slice_ = await catalog.page_of(database, criteria, sort=sort, page=Page(size=100))
    async with database.read() as connection:
        assert await catalog.count(connection, criteria) == len(slice_.rows)
    return [row.slug for row in slice_.rows]


@pytest.fixture
async def market(database: Database) -> SimpleNamespace:
    """Terraform in each field once, most telling last, and a few others."""
    ada, bob = await make_author(database, username="Ada"), await make_author(database, username="bob")
    await listed(database, "in-readme", author=ada, readme="Made with terraform. " * 50)
    await listed(database, "in-description", author=ada, description="For Terraform users.")
    await listed(database, "in-tags", author=bob, tags=["terraform"], categories=["infrastructure"])
    await listed(database, "in-name", author=bob, name="A Terraform Landing Zone")
    await listed(database, "just-this", author=bob, name="Terraform", price_cents=4900)
    await listed(
        database, "shadcn-ui", author=ada, name="Shadcn Components", description="React and Tailwind."
    )
    await listed(
        database, "cluster", author=ada, name="Kubernetes Baseline", readme="Déploiement, café, naïve."
    )
    return SimpleNamespace(ada=ada, bob=bob)


async def test_name_outranks_labels_description_and_readme(database: Database, market: object) -> None:
    ranked = ["just-this", "in-name", "in-tags", "in-description", "in-readme"]
    assert await found(database, "terraform") == ranked
    assert await found(database, "TERRAFORM!") == ranked


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ("shad", ["shadcn-ui"]),
        ("kuber", ["cluster"]),
        ("landing zo", ["in-name"]),
        ("shad components", []),  # only the last word may be unfinished
        ("terrafrom", ["just-this", "in-name", "in-tags", "in-description", "in-readme"]),
        ("kuberntes", ["cluster"]),
        ("kubernettes basline", ["cluster"]),
        ("raect", ["shadcn-ui"]),
        ("cafe", ["cluster"]),
        ("CAFÉ", ["cluster"]),
        ("deploiement", ["cluster"]),
        ("in the terraform zone", ["in-name"]),  # small words are not asked for
        ("terraform ada", ["in-description", "in-readme"]),
        ("terraform react", []),
        ("nothinglikeit", []),
    ],
)
async def test_words_prefixes_and_slips(
    database: Database, market: object, query: str, slugs: list[str]
) -> None:
    assert await found(database, query) == slugs


async def test_whole_words_outrank_beginnings(database: Database) -> None:
    await listed(database, "begun", name="Reactive Streams")
    await listed(database, "whole", name="React Streams Demo")
    assert await found(database, "react") == ["whole", "begun"]


async def test_among_equals_the_one_with_more_digits_of_downloads(database: Database) -> None:
    for slug, downloads in (("a9", 9), ("b1000", 1000), ("c999", 999), ("d101", 101)):
        await listed(database, slug, name=f"Template {slug}", downloads=downloads)
    assert await found(database, "template") == ["b1000", "d101", "c999", "a9"]


async def test_signs_of_languages_without_spaces_are_words(database: Database) -> None:
    await listed(database, "japan", name="適格請求書テンプレート")
    await listed(database, "rossiya", name="Шаблоны счетов")
    assert await found(database, "請求書") == ["japan"]
    assert await found(database, "テンプレ") == ["japan"]
    assert await found(database, "шабл") == ["rossiya"]


HOSTILE = [
    '"',
    "' OR 1=1 --",
    "NEAR(a b)",
    "a AND",
    "OR",
    "NOT x",
    "*",
    "name:",
    "{name} : x",
    "^a",
    "a-b",
    "(((",
    "\\",
    ":*",
    "a & | ! b",
    "<->",
    "\x00",
    "a\x00b",
    "🚀",
    "👩‍👩‍👧",
    "\ud800",
    "%",
    "_",
    "ß" * 200,
    "é" * 200,
    "a " * 100,
    "x" * 200,
    "\u0301" * 200,
    "𞤀𞤁 a𞤀b",
    "١٢٣",
    "½ ² ⅷ",
]


@pytest.mark.parametrize("query", HOSTILE)
async def test_no_text_is_an_error(database: Database, market: object, query: str) -> None:
    for sort in SORTS:
        slugs = await found(database, query, sort=sort)
        assert len(slugs) == len(set(slugs))


@pytest.mark.parametrize("query", ["!!!", "🚀", "\x00", "_"])
async def test_a_question_without_words_finds_nothing(database: Database, market: object, query: str) -> None:
    assert await found(database, query) == []
    assert await found(database, query, sort=PackageSort.NAME) == []


@pytest.mark.parametrize("query", [None, "", "   \n"])
async def test_a_blank_question_is_none(database: Database, market: object, query: str | None) -> None:
    assert len(await found(database, query)) == 7


@pytest.mark.parametrize("query", ["x" * 201, " " * 200 + "x", "\x00" * 1000])
def test_long_questions_are_refused(query: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        question(query)
    assert refused.value.field == "query"


async def test_a_changed_package_is_found_by_what_it_is_now(database: Database) -> None:
    package = await listed(database, "changing", name="Old Title", readme="obsolete")
    async with database.transaction() as connection:
        await connection.execute(
            update(Package).where(Package.id == package.id).values(name="Fresh Name", readme=None)
        )
        await search.index(connection, package.id)
    assert await found(database, "fresh") == ["changing"]
    assert await found(database, "obsolete") == []
    assert await found(database, "old title") == []


async def test_removing_is_complete_and_repeatable(database: Database) -> None:
    package, other = (
        await listed(database, "gone", name="Ephemera"),
        await listed(database, "kept", name="Kept"),
    )
    async with database.transaction() as connection:
        await search.remove(connection, package.id)
        await search.remove(connection, package.id)
    assert await found(database, "ephemera") == []
    assert await found(database, "ephemrea") == []  # the word is known still, and leads nowhere
    assert await found(database, "kept") == ["kept"]
    async with database.transaction() as connection:
        await search.index(connection, package.id)
    assert await found(database, "ephemera") == ["gone"]
    assert other.slug == "kept"


async def test_what_is_rolled_back_is_not_found(database: Database) -> None:
    package = await make_package(database, slug="undone", name="Undone")
    async with database.transaction() as connection:
        await search.index(connection, package.id)
        await connection.rollback()
    assert await found(database, "undone") == []


async def test_the_index_keeps_one_row_a_package(database: Database) -> None:
    package = await listed(database, "once", name="Once")
    async with database.transaction() as connection:
        for _ in range(3):
            await search.index(connection, package.id)
    async with database.read() as connection:
        rows = (await connection.execute(text("SELECT count(*) FROM package_search"))).scalar_one()
    assert rows == 1


@pytest.mark.parametrize("status", ["draft", "yanked"])
async def test_only_published_and_deprecated_are_listed(database: Database, status: str) -> None:
    await listed(database, "hidden", name="Common Thing", status=status, categories=["ui"])
    await listed(database, "old", name="Common Thing", status="deprecated")
    for sort in SORTS:
        assert await found(database, "common", sort=sort) == ["old"]
        assert await found(database, sort=sort) == ["old"]
    async with database.read() as connection:
        assert (await catalog.categories(connection))[0].package_count == 0
        assert (await facets.facets(connection, Criteria()))["categories"] == []


@pytest.fixture
async def shelf(database: Database) -> None:
    """Four packages that differ in everything that can be filtered by."""
    ada, bob = await make_author(database, username="Ada"), await make_author(database, username="bob")
    day = timedelta(days=1)
    await listed(
        database,
        "alpha",
        author=ada,
        categories=["ui", "web"],
        tags=["react"],
        ratings=[5, 4, 5],
        downloads=10,
        published_at=NOW,
    )
    await listed(
        database,
        "beta",
        author=ada,
        categories=["ui"],
        price_cents=1900,
        ratings=[3],
        downloads=30,
        published_at=NOW + day,
    )
    await listed(
        database,
        "gamma",
        author=bob,
        tags=["react", "rust"],
        license="Apache-2.0",
        price_cents=4900,
        downloads=20,
        published_at=NOW + 2 * day,
    )
    await listed(
        database,
        "delta",
        author=bob,
        categories=["web"],
        license="Apache-2.0",
        price_cents=3000,
        currency="JPY",
        ratings=[5],
        downloads=30,
        published_at=NOW - day,
    )


@pytest.mark.parametrize(
    ("filter", "slugs"),
    [
        ({}, ["alpha", "beta", "delta", "gamma"]),
        ({"category": "ui"}, ["alpha", "beta"]),
        ({"category": " UI "}, ["alpha", "beta"]),
        ({"category": "none"}, []),
        ({"tag": "react"}, ["alpha", "gamma"]),
        ({"author": "ADA"}, ["alpha", "beta"]),
        ({"author": "nobody"}, []),
        ({"license": "Apache-2.0"}, ["delta", "gamma"]),
        ({"min_price_cents": 1900}, ["beta", "delta", "gamma"]),
        ({"max_price_cents": 1900}, ["alpha", "beta"]),
        ({"min_price_cents": 1900, "max_price_cents": 4899}, ["beta", "delta"]),
        ({"min_price_cents": 1901, "max_price_cents": 4900, "currency": "usd"}, ["gamma"]),
        ({"currency": "JPY"}, ["delta"]),
        ({"free": True}, ["alpha"]),
        ({"free": False}, ["beta", "delta", "gamma"]),
        ({"min_rating": 1}, ["alpha", "beta", "delta"]),
        ({"min_rating": 4.67}, ["alpha", "delta"]),  # 14/3 shows as 4.67
        ({"min_rating": 4.68}, ["delta"]),
        ({"min_rating": 5.0}, ["delta"]),
        ({"category": "web", "license": "MIT", "free": True, "min_rating": 4}, ["alpha"]),
    ],
)
async def test_filters(database: Database, shelf: None, filter: dict[str, Any], slugs: list[str]) -> None:
    assert await found(database, sort=PackageSort.NAME, **filter) == slugs


@pytest.mark.parametrize(
    ("sort", "slugs"),
    [
        (PackageSort.NAME, ["alpha", "beta", "delta", "gamma"]),
        (PackageSort.NEWEST, ["gamma", "beta", "alpha", "delta"]),
        (PackageSort.DOWNLOADS, ["delta", "beta", "gamma", "alpha"]),
        (PackageSort.RATING, ["delta", "alpha", "beta", "gamma"]),
        (PackageSort.RELEVANCE, ["delta", "beta", "gamma", "alpha"]),
    ],
)
async def test_sorts(database: Database, shelf: None, sort: PackageSort, slugs: list[str]) -> None:
    assert await found(database, sort=sort) == slugs


async def test_names_sort_without_regard_to_case(database: Database) -> None:
    for slug, name in (("s1", "beta"), ("s2", "Alpha"), ("s3", "ALPHA two"), ("s4", "Beta")):
        await listed(database, slug, name=name)
    assert await found(database, sort=PackageSort.NAME) == ["s2", "s3", "s1", "s4"]


@pytest.mark.parametrize(
    ("filter", "field"),
    [
        ({"min_rating": 0.99}, "minRating"),
        ({"min_rating": 5.01}, "minRating"),
        ({"min_rating": float("nan")}, "minRating"),
        ({"min_rating": float("inf")}, "minRating"),
        ({"min_price_cents": -1}, "minPriceCents"),
        ({"max_price_cents": -1}, "maxPriceCents"),
        ({"min_price_cents": 2, "max_price_cents": 1}, "minPriceCents"),
        ({"currency": "XXXX"}, "currency"),
        ({"category": "no such!"}, "category"),
        ({"tag": ""}, "tag"),
        ({"author": "a\x00b"}, "author"),
        ({"license": "x" * 101}, "license"),
    ],
)
def test_filters_that_no_package_could_meet_are_refused(filter: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        package_filter(**filter)
    assert refused.value.field == field


async def test_facets_count_under_the_query_and_the_filter(database: Database, shelf: None) -> None:
    async with database.read() as connection:
        assert await facets.facets(connection, Criteria()) == {
            "categories": [("ui", 2), ("web", 2)],
            "licenses": [("Apache-2.0", 2), ("MIT", 2)],
            "authors": [("Ada", 2), ("bob", 2)],
            "prices": [("paid", 3), ("free", 1)],
            "ratings": [("4", 2), ("3", 3), ("2", 3), ("1", 3)],
        }
        narrowed = await criteria_of(database, "react", author="ada")
        assert await facets.facets(connection, narrowed) == {
            "categories": [("ui", 1), ("web", 1)],
            "licenses": [("MIT", 1)],
            "authors": [("Ada", 1)],
            "prices": [("free", 1)],
            "ratings": [("4", 1), ("3", 1), ("2", 1), ("1", 1)],
        }
        nothing = await criteria_of(database, "nothinglikeit")
        assert set(map(len, (await facets.facets(connection, nothing)).values())) == {0}


async def _walk(
    database: Database, criteria: Criteria, sort: PackageSort, *, size: int, backward: bool
) -> list[str]:
    order, slugs, cursor = catalog.effective_sort(criteria, sort), list[str](), None
    while True:
        side = {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        wanted = page(order=order, **{"first": None, "after": None, "last": None, "before": None, **side})
        slice_ = await catalog.page_of(database, criteria, sort=sort, page=wanted)
        got = [row.slug for row in slice_.rows]
        slugs = got + slugs if backward else slugs + got
        assert (slice_.has_next if backward else slice_.has_previous) is (cursor is not None)
        if not (slice_.has_previous if backward else slice_.has_next):
            return slugs
        cursor = slice_.cursors[0 if backward else -1]


@pytest.fixture
async def crowd(database: Database) -> list[str]:
    """23 packages full of ties in every sort."""
    slugs = []
    for n, (downloads, stars, days) in enumerate(list(product((0, 5, 50), (0, 3), (0, 1, 2, 2)))[:23]):
        name = ("Widget", "Gadget", "Widget Kit")[n % 3]
        await listed(
            database,
            f"p{n}",
            name=name,
            description="A widget." if n % 2 else "",
            readme="widget",
            downloads=downloads,
            ratings=[stars] if stars else [],
            published_at=NOW + timedelta(days=days),
        )
        slugs.append(f"p{n}")
    await listed(database, "hidden", name="Widget", status="draft")
    return slugs


@pytest.mark.parametrize("query", [None, "widget", "wigdet"])
async def test_pages_give_each_package_once_and_alike_both_ways(
    database: Database, crowd: list[str], query: str | None
) -> None:
    criteria = await criteria_of(database, query)

    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(sort=st.sampled_from(SORTS), size=st.integers(1, 25))
    def explore(sort: PackageSort, size: int) -> None:
        cases.add((sort, size))

    cases: set[tuple[PackageSort, int]] = {(sort, 1) for sort in SORTS} | {(sort, 23) for sort in SORTS}
    explore()
    for sort, size in sorted(cases):
        forward = await _walk(database, criteria, sort, size=size, backward=False)
        backward = await _walk(database, criteria, sort, size=size, backward=True)
        assert forward == backward
        assert sorted(forward) == sorted(crowd)
        assert forward == await found(database, query, sort=sort)


async def test_pages_hold_still_while_packages_come_and_go(database: Database, crowd: list[str]) -> None:
    criteria = await criteria_of(database, "widget")
    first = await catalog.page_of(database, criteria, sort=PackageSort.RELEVANCE, page=Page(size=5))
    await listed(database, "newcomer", name="Widget", readme="widget " * 500)
    after = read_cursor(first.cursors[-1], order=PackageSort.RELEVANCE, field="after")
    rest = await catalog.page_of(
        database, criteria, sort=PackageSort.RELEVANCE, page=Page(size=100, after=after)
    )
    seen = [row.slug for row in (*first.rows, *rest.rows) if row.slug != "newcomer"]
    assert sorted(seen) == sorted(crowd)


@pytest.mark.parametrize("sort", SORTS)
async def test_forged_cursors_are_refused(database: Database, shelf: None, sort: PackageSort) -> None:
    criteria = await criteria_of(database, "alpha")
    nil = "00000000-0000-0000-0000-000000000000"
    forged = [
        (),
        (1,),
        ("x", "y"),
        (2**63, nil),
        ("2026-01-01", nil),
        ("a\0b", nil),
        (1.5, nil),
        (1, 2, 3),
        ("0001-01-01T00:00:00+23:59", nil),
    ]
    for cursor in forged:
        if sort is PackageSort.NAME and cursor == ("2026-01-01", nil):
            continue  # a name like any other
        if sort is PackageSort.NAME and cursor == ("0001-01-01T00:00:00+23:59", nil):
            continue
        for side in ("after", "before"):
            with pytest.raises(InvalidInput) as refused:
                await catalog.page_of(database, criteria, sort=sort, page=Page(**{side: cursor}))
            assert refused.value.field == side


@pytest.mark.parametrize(
    "sort", [sort for sort in SORTS if sort not in (PackageSort.NEWEST, PackageSort.NAME)]
)
async def test_cursors_of_any_number_give_a_page(database: Database, shelf: None, sort: PackageSort) -> None:
    """Numbers that no row has are forged, and compare like any other."""
    nil = "00000000-0000-0000-0000-000000000000"
    criteria = await criteria_of(database, "alpha")
    everything = await found(database, "alpha", sort=sort)
    for number in (2**31, 2**32, 2**63 - 1):
        for cursor, side in (((number, nil), "after"), ((-number, nil), "before")):
            slice_ = await catalog.page_of(
                database, criteria, sort=sort, page=Page(size=100, **{side: cursor})
            )
            assert [row.slug for row in slice_.rows] == everything


TEXTS = ["query", "filter.category", "filter.tag", "filter.author", "filter.license", "filter.currency"]


@pytest.mark.parametrize("argument", [*TEXTS, "after", "before", "slug"])
@pytest.mark.parametrize("value", ["a\0b", "\0", "\ud800", "\u202e"])
async def test_no_text_of_an_argument_breaks_a_statement(api: Api, argument: str, value: str) -> None:
    """Least of all NUL, which PostgreSQL has no text for."""
    name, _, field = argument.partition(".")
    body = {
        "query": {
            "slug": "query($v: String!) { package(slug: $v) { slug } }",
            "filter": "query($v: PackageFilter) { packages(filter: $v) { totalCount edges { node { slug } } } }",
        }.get(
            name, f"query($v: String) {{ packages({name}: $v) {{ totalCount edges {{ node {{ slug }} }} }} }}"
        ),
        "variables": {"v": {field: value} if field else value},
    }
    content = json.dumps(body).encode()
    response = await api.http.post("/graphql", content=content, headers={"content-type": "application/json"})
    codes = [error["extensions"]["code"] for error in response.json().get("errors", [])]
    assert codes in ([], ["BAD_USER_INPUT"], ["BAD_REQUEST"]), response.json()


async def test_a_renamed_author_is_found_by_the_new_name_only(database: Database) -> None:
    user = await make_user(database, username="ada")
    author = await make_author(database, user=user)
    await listed(database, "one", author=author, tags=["ui"], readme="Read me first.")
    await listed(database, "two", author=author, name="Widget", tags=["grid"], categories=["web"])
    await listed(database, "other", name="Other")
    async with database.transaction() as connection:
        await authors.rename(connection, user.id, username="Grace")
    assert await found(database, "grace") == ["two", "one"]
    assert await found(database, "ada") == []
    answers = {"first": ["one"], "ui": ["one"], "grid": ["two"], "web": ["two"], "widget": ["two"]}
    assert {query: await found(database, query) for query in answers} == answers
