"""The catalogue over GraphQL: values, who sees what, and as many statements for a hundred rows as for one."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from app.db.database import Database
from app.db.ids import new_id
from app.domain.api_keys import Role, Scope
from app.schema.node import global_id
from tests.support.catalogue import ask, context_of, listed, schema
from tests.support.factories import (
    NOW,
    make_author,
    make_category,
    make_file,
    make_package,
    make_purchase,
    make_user,
    make_version,
    viewer_of,
)
from tests.support.statements import counted

EVERYTHING = """
query ($query: String, $first: Int, $sort: PackageSort) {
  packages(query: $query, first: $first, sort: $sort) {
    totalCount
    facets { categories { value count } licenses { value count } prices { value count } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node {
      id slug name description summary readme readmeHtml license tags status viewerOwns
      price { amountCents currency formatted } downloads rating ratingCount createdAt updatedAt publishedAt
      categories
      author { id username createdAt
        packages(first: 2) { totalCount edges { node { slug tags latestVersion { version } } } } }
      versions(first: 2) { totalCount pageInfo { hasNextPage } edges { node {
        id version changelog status publishedAt yankReason
        files { id path mediaType sizeBytes sha256 } package { slug } } } }
      other: versions(last: 1) { edges { node { version } } }
      latestVersion { version files { path } }
    } }
  }
}
"""


async def _stock(database: Database, packages: int) -> None:
    for n in range(packages):
        package = await listed(
            database,
            f"stock-{n}",
            author=await make_author(database),
            categories=["ui", f"cat-{n}"],
            tags=["a", f"t{n}"],
            readme=f"# Hello {n}",
            description="Stock.",
        )
        for version in ("1.0.0", "1.1.0", "2.0.0-rc.1"):
            await make_version(database, package=package, version=version)


async def test_statements_do_not_grow_with_rows(database: Database) -> None:
    viewer = viewer_of(await make_user(database))
    await _stock(database, 1)
    with counted(database) as few:
        await ask(database, EVERYTHING, viewer=viewer, query="stock", first=50)
    await _stock_more(database)
    with counted(database) as many:
        data = await ask(database, EVERYTHING, viewer=viewer, query="stock", first=50)
    assert len(data["packages"]["edges"]) == 12
    assert len(many) == len(few) == 19


async def _stock_more(database: Database) -> None:
    for n in range(1, 12):
        package = await listed(database, f"stock-{n}", tags=["a"], categories=["ui"], readme="x")
        await make_version(database, package=package)


async def test_only_what_is_asked_for_is_read(database: Database) -> None:
    await _stock(database, 3)
    with counted(database) as sent:
        await ask(database, "{ packages { edges { node { slug name } } } }")
    assert len(sent) == 1
    assert "readme" not in sent[0]
    assert "description" not in sent[0]
    with counted(database) as sent:
        await ask(database, "{ packages { edges { node { author { username } } } totalCount } }")
    assert len(sent) == 3


async def test_a_package_in_full(database: Database) -> None:
    author = await make_author(database, username="Ada")
    await make_category(database, "web-shop", name="Web shops")
    package = await make_package(
        database,
        slug="store-front",
        name="Store Front",
        author=author,
        description="# Store\n\nA **shop** in a box. It has everything.",
        readme="Use *it*. <script>x</script>[x](javascript:x)",
        license="Apache-2.0",
        price_cents=1900,
        currency="USD",
        categories=["web-shop"],
        tags=["shop", "cart"],
        ratings=[5, 4, 4],
        downloads=1234,
        published_at=NOW + timedelta(days=1),
    )
    old = await make_version(database, package=package, version="1.0.0", changelog="First.", with_file=False)
    await make_file(database, version=old, position=1, path="b.txt", media_type="text/plain", content=b"bb")
    await make_file(database, version=old, position=0, path="a.zip", media_type="application/zip")
    await make_version(
        database, package=package, version="1.1.0", status="yanked", yank_reason="Broken.", with_file=False
    )
    document = """{ package(slug: "store-front") {
      slug name description summary readme readmeHtml license tags status rating ratingCount downloads
      price { amountCents currency formatted } createdAt updatedAt publishedAt viewerOwns
      categories author { username }
      versions { totalCount edges { node { version changelog status yankReason yankedAt publishedAt
        package { slug } files { path mediaType sizeBytes sha256 } } } }
      latestVersion { version } } }"""
    found = (await ask(database, document))["package"]
    sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    made = "2026-01-15T12:00:00.000Z"
    assert found["versions"].pop("totalCount") == 2
    newest, oldest = (edge["node"] for edge in found.pop("versions")["edges"])
    assert found == {
        "slug": "store-front",
        "name": "Store Front",
        "description": "# Store\n\nA **shop** in a box. It has everything.",
        "summary": "A shop in a box. It has everything.",
        "readme": "Use *it*. <script>x</script>[x](javascript:x)",
        "readmeHtml": "<p>Use <em>it</em>. [x](javascript:x)</p>\n",
        "license": "Apache-2.0",
        "tags": ["cart", "shop"],
        "status": "PUBLISHED",
        "rating": 4.33,
        "ratingCount": 3,
        "downloads": 1234,
        "price": {"amountCents": 1900, "currency": "USD", "formatted": "$19.00"},
        "createdAt": made,
        "updatedAt": made,
        "publishedAt": "2026-01-16T12:00:00.000Z",
        "viewerOwns": False,
        "categories": ["web-shop"],
        "author": {"username": "Ada"},
        "latestVersion": {"version": "1.0.0"},
    }
    assert newest == {
        "version": "1.1.0",
        "changelog": "",
        "status": "YANKED",
        "yankReason": "Broken.",
        "yankedAt": made,
        "publishedAt": made,
        "package": {"slug": "store-front"},
        "files": [],
    }
    assert oldest["files"] == [
        {"path": "a.zip", "mediaType": "application/zip", "sizeBytes": 3, "sha256": sha},
        {
            "path": "b.txt",
            "mediaType": "text/plain",
            "sizeBytes": 2,
            "sha256": "3b64db95cb55c763391c707108489ae18b4112d783300de38e033b4c98c3deaf",
        },
    ]


async def test_a_bare_package(database: Database) -> None:
    await make_package(database, slug="bare", description="x" * 9000)
    document = """{ package(slug: "bare") { readme readmeHtml rating ratingCount tags categories
      latestVersion { id } versions { totalCount edges { cursor } pageInfo { startCursor hasNextPage } }
      description summary } }"""
    found = (await ask(database, document))["package"]
    assert (len(found.pop("description")), len(found.pop("summary"))) == (9000, 200)
    assert found == {
        "readme": None,
        "readmeHtml": None,
        "rating": None,
        "ratingCount": 0,
        "tags": [],
        "categories": [],
        "latestVersion": None,
        "versions": {"totalCount": 0, "edges": [], "pageInfo": {"startCursor": None, "hasNextPage": False}},
    }


@pytest.mark.parametrize(
    ("versions", "yanked", "latest"),
    [
        (["1.9.0", "1.10.0", "1.2.0"], [], "1.10.0"),
        (["1.9.0", "2.0.0-beta.1"], [], "1.9.0"),
        (["2.0.0-alpha", "2.0.0-beta.2", "2.0.0-beta.10"], [], "2.0.0-beta.10"),
        (["1.0.0", "2.0.0"], ["2.0.0"], "1.0.0"),
        (["1.0.0", "2.0.0-rc.1"], ["1.0.0"], "2.0.0-rc.1"),
        (["1.0.0"], ["1.0.0"], None),
    ],
)
async def test_the_latest_version(
    database: Database, versions: list[str], yanked: list[str], latest: str | None
) -> None:
    package, other = await make_package(database, slug="versioned"), await make_package(database)
    await make_version(database, package=other, version="99.0.0")
    for version in versions:
        status = "yanked" if version in yanked else "published"
        await make_version(database, package=package, version=version, status=status)
    found = (await ask(database, '{ package(slug: "versioned") { latestVersion { version } } }'))["package"]
    assert found["latestVersion"] == (latest and {"version": latest})


async def test_versions_are_paged_both_ways_by_precedence(database: Database) -> None:
    package = await make_package(database, slug="versioned")
    for version in ("1.0.0", "1.10.0", "1.2.0", "2.0.0-rc.1", "2.0.0"):
        await make_version(database, package=package, version=version, with_file=False)
    document = """query ($first: Int, $after: String, $last: Int, $before: String) {
      package(slug: "versioned") { versions(first: $first, after: $after, last: $last, before: $before) {
        edges { cursor node { version } } pageInfo { hasNextPage hasPreviousPage } } } }"""

    async def page(**arguments: Any) -> tuple[list[str], dict[str, bool], list[str]]:
        found = (await ask(database, document, **arguments))["package"]["versions"]
        edges = found["edges"]
        return (
            [edge["node"]["version"] for edge in edges],
            found["pageInfo"],
            [edge["cursor"] for edge in edges],
        )

    names, info, cursors = await page(first=2)
    assert (names, info) == (["2.0.0", "2.0.0-rc.1"], {"hasNextPage": True, "hasPreviousPage": False})
    names, info, _ = await page(first=3, after=cursors[-1])
    assert (names, info) == (["1.10.0", "1.2.0", "1.0.0"], {"hasNextPage": False, "hasPreviousPage": True})
    names, info, cursors = await page(last=2)
    assert (names, info) == (["1.2.0", "1.0.0"], {"hasNextPage": False, "hasPreviousPage": True})
    names, _, _ = await page(last=2, before=cursors[0])
    assert names == ["2.0.0-rc.1", "1.10.0"]


@pytest.fixture
async def people(database: Database) -> SimpleNamespace:
    user = await make_user(database, role=Role.AUTHOR)
    stranger, staff = (
        await make_user(database, role=Role.AUTHOR),
        await make_user(database, role=Role.SUPPORT),
    )
    author = await make_author(database, user=user)
    for status in ("draft", "published", "deprecated", "yanked"):
        package = await listed(database, status, author=author, status=status, name=f"Some {status}")
        await make_version(database, package=package)
        setattr(author, status, package)
    return SimpleNamespace(
        author=author,
        viewers={
            "anonymous": None,
            "owner": viewer_of(user),
            "key without scope": viewer_of(user, scopes=[Scope.PUBLISH]),
            "stranger": viewer_of(stranger),
            "staff": viewer_of(staff),
        },
    )


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("anonymous", False),
        ("key without scope", False),
        ("stranger", False),
        ("owner", True),
        ("staff", True),
    ],
)
async def test_drafts_are_for_their_author_and_staff(
    database: Database, people: SimpleNamespace, who: str, sees: bool
) -> None:
    viewer = people.viewers[who]
    document = """{ draft: package(slug: "draft") { status } yanked: package(slug: "yanked") { status }
      packages(sort: NAME) { totalCount edges { node { slug } } }
      search: packages(query: "some") { totalCount }
      published: package(slug: "published") {
        author { packages { totalCount edges { node { slug } } } } } }"""
    found = await ask(database, document, viewer=viewer)
    assert found["draft"] == ({"status": "DRAFT"} if sees else None)
    assert found["yanked"] == {"status": "YANKED"}
    assert [edge["node"]["slug"] for edge in found["packages"]["edges"]] == ["deprecated", "published"]
    assert (found["packages"]["totalCount"], found["search"]["totalCount"]) == (2, 2)
    authored = found["published"]["author"]["packages"]
    every = ["yanked", "deprecated", "published", "draft"]
    assert [edge["node"]["slug"] for edge in authored["edges"]] == (every if sees else every[1:3])
    assert authored["totalCount"] == (4 if sees else 2)


@pytest.mark.parametrize("who", ["anonymous", "key without scope", "stranger", "owner", "staff"])
async def test_nodes_obey_the_same_rule(database: Database, people: SimpleNamespace, who: str) -> None:
    viewer, sees = people.viewers[who], who in ("owner", "staff")
    versions = """{ draft: package(slug: "draft") { id latestVersion { id } }
      yanked: package(slug: "yanked") { id latestVersion { id } author { id } } }"""
    ids = await ask(database, versions, viewer=people.viewers["owner"])
    document = """query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"""
    wanted = [
        ids["draft"]["id"],
        ids["draft"]["latestVersion"]["id"],
        ids["yanked"]["id"],
        ids["yanked"]["latestVersion"]["id"],
        ids["yanked"]["author"]["id"],
        *(global_id(kind, new_id()) for kind in ("Package", "PackageVersion", "Author")),
    ]
    found = (await ask(database, document, viewer=viewer, ids=wanted))["nodes"]
    kinds = ["Package", "PackageVersion", "Package", "PackageVersion", "Author"]
    expected = [{"__typename": kind, "id": each} for kind, each in zip(kinds, wanted, strict=False)]
    assert found == [*(expected[:2] if sees else [None, None]), *expected[2:], None, None, None]


@pytest.mark.parametrize("slug", ["unknown", "", "UPPER", "a\x00b", "../x", "x" * 500, "é"])
async def test_unknown_slugs_are_null(database: Database, slug: str) -> None:
    document = "query ($slug: String!) { package(slug: $slug) { id } }"
    assert await ask(database, document, slug=slug) == {"package": None}


async def test_owning_is_a_completed_purchase(database: Database) -> None:
    user = await make_user(database)
    for slug, status in (("bought", "completed"), ("open", "pending"), ("returned", "refunded")):
        package = await make_package(database, slug=slug)
        version = await make_version(database, package=package)
        await make_purchase(database, user=user, package=package, version=version, status=status)
    document = "{ packages(sort: NAME) { edges { node { slug viewerOwns } } } }"

    async def owned(viewer: Any) -> list[str]:
        edges = (await ask(database, document, viewer=viewer))["packages"]["edges"]
        return [edge["node"]["slug"] for edge in edges if edge["node"]["viewerOwns"]]

    assert await owned(viewer_of(user)) == ["bought"]
    assert await owned(viewer_of(user, scopes=[Scope.WRITE])) == []
    assert await owned(viewer_of(await make_user(database))) == []
    assert await owned(None) == []


async def test_categories_by_name_with_their_counts(database: Database) -> None:
    await make_category(database, "zz", name="Apples")
    await listed(database, "one", categories=["ui", "web"])
    await listed(database, "two", categories=["ui"])
    await listed(database, "three", categories=["web"], status="draft")
    with counted(database) as sent:
        found = (await ask(database, "{ categories { slug name packageCount } }"))["categories"]
    assert len(sent) == 1
    assert found == [
        {"slug": "zz", "name": "Apples", "packageCount": 0},
        {"slug": "ui", "name": "Ui", "packageCount": 2},
        {"slug": "web", "name": "Web", "packageCount": 1},
    ]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ("first: 0", "first"),
        ("first: 101", "first"),
        ("last: 101", "last"),
        ("first: 1, last: 1", "last"),
        ('after: "nonsense"', "after"),
        ('before: "é"', "before"),
        ("filter: {minRating: 6}", "minRating"),
        ("filter: {minPriceCents: 5, maxPriceCents: 4}", "minPriceCents"),
        (f'query: "{"x" * 201}"', "query"),
    ],
)
async def test_what_is_wrong_is_named(database: Database, arguments: str, field: str) -> None:
    document = f"{{ packages({arguments}) {{ totalCount }} }}"
    result = await schema().execute(document, context_value=context_of(database))
    assert result.errors is not None
    (error,) = result.errors
    assert error.original_error.code == "BAD_USER_INPUT"
    assert error.original_error.facts() == {"field": field}


async def test_a_cursor_of_another_sort_is_refused(database: Database) -> None:
    await listed(database, "one")
    names = await ask(database, "{ packages(sort: NAME) { pageInfo { endCursor } } }")
    document = "query ($after: String) { packages(sort: NEWEST, after: $after) { totalCount } }"
    cursor = names["packages"]["pageInfo"]["endCursor"]
    result = await schema().execute(
        document, variable_values={"after": cursor}, context_value=context_of(database)
    )
    assert result.errors is not None
    assert result.errors[0].message == "'after' is a cursor of another list or sort: start again without it."
