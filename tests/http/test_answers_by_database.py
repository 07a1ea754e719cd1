"""What PostgreSQL answers by itself is what the resolvers answer, and is asked of nobody who would be refused.

A document is executed by the resolvers until it is asked for again and again, and then by one statement where
it can be: so the same request has to have the same answer each time.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.dataloaders import projections
from app.db.database import Database
from app.db.projections import Statements, answers
from app.db.repositories import authors
from app.domain.api_keys import Role
from app.schema.node import global_id
from tests.support import factories
from tests.support.clients import Account, Answer, Api, make_key, sign_up, sign_up_as
from tests.support.statements import counted

TIMES = 4
"""After the first the document is kept, from the third on its plan is known to be used again."""
ODD = 'Ünï "quoted" \\ back\n\ttab / \u2028 😀'
EXACT = datetime(2026, 3, 1, 2, 3, 4, 999_999, tzinfo=UTC)
WHOLE = datetime(2026, 3, 1, tzinfo=UTC)

PACKAGE = """id slug name license downloads rating ratingCount status createdAt updatedAt publishedAt
    price { amountCents currency __typename } author { id username createdAt __typename }"""
VERSION = "id version changelog status yankReason publishedAt yankedAt __typename"
INVOICE = """id number receiptNumber description status periodStart periodEnd issuedAt dueAt paidAt attemptCount
    nextAttemptAt hostedUrl subtotal { amountCents currency } discount { amountCents } tax { amountCents }
    taxIncluded { amountCents } other { amountCents } total { amountCents } amountDue { amountCents }
    amountPaid { amountCents currency }"""
INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor __typename }"
DOCUMENTS = {
    "catalogue": f"""{{ packages(first: 3) {{ __typename totalCount {INFO} edges {{ __typename cursor node {{
        {PACKAGE} versions(first: 2) {{ totalCount {INFO} edges {{ cursor node {{ {VERSION} }} }} }} }} }} }} }}""",
    "aliases and fragments": """{ first: packages(first: 1) { edges { node { a: slug b: slug ...P } } }
        second: packages(first: 2, sort: NAME) { list: edges { item: node { ...P ... on Package { license } } } } }
        fragment P on Package { name price { cents: amountCents } author { username } }""",
    "sorted": """{ newest: packages(sort: NEWEST) { edges { cursor node { slug } } }
        rating: packages(sort: RATING) { edges { cursor node { slug } } }
        name: packages(sort: NAME) { edges { cursor node { slug } } } }""",
    "filtered": """{ packages(filter: {category: "tools", free: false, minRating: 2.5}) {
        totalCount edges { node { slug } } } }""",
    "an empty page": '{ packages(filter: {tag: "nobody-has-this"}) { edges { node { slug } } pageInfo { endCursor } } }',
    "viewer": f"""{{ viewer {{ __typename id email username displayName emailVerified role tier createdAt
        subscription {{ id tier interval price {{ amountCents currency }} status cancelAtPeriodEnd scheduledTier
            trialEnd pastDueSince createdAt endedAt }}
        apiKeys(first: 1) {{ totalCount {INFO} edges {{ node {{ id name prefix scopes createdAt expiresAt
            revokedAt lastUsedAt }} }} }}
        invoices {{ totalCount edges {{ cursor node {{ {INVOICE} }} }} }} }} }}""",
    "beside what needs a resolver": f"""{{ viewer {{ usage {{ periodEnd }} apiKeys {{ edges {{ node {{ scopes }} }} }}
        invoices(first: 2) {{ {INFO} edges {{ node {{ number }} }} }} }} }}""",
    "of many parents": f"""query($ids: [ID!]!) {{ nodes(ids: $ids) {{ id ... on Author {{ username
        packages(first: 2) {{ totalCount {INFO} edges {{ cursor node {{ slug author {{ id }}
            versions(first: 1) {{ edges {{ node {{ version }} }} }} }} }} }} }} }} }}""",
    "without rows": """{ packages { totalCount __typename pageInfo { hasPreviousPage } } viewer { apiKeys { totalCount }
        invoices { __typename } } }""",
    "wrong sizes": "{ packages(first: 0) { edges { node { slug } } } }",
    "a wrong cursor": '{ viewer { apiKeys(after: "nonsense") { edges { node { id } } } } }',
    "another list's cursor": '{ packages(after: "WyJpZCIsMV0") { edges { node { slug } } } }',
    "from the end": f"{{ packages(last: 2) {{ {INFO} edges {{ node {{ slug }} }} }} }}",
}
BY_ONE_STATEMENT = ["catalogue", "filtered", "viewer", "an empty page"]


@dataclass
class Shelf:
    """Packages, versions, keys and invoices with all that is odd to write as JSON."""

    owner: Account
    author_ids: list[str]


@pytest.fixture
async def shelf(api: Api, database: Database) -> Shelf:
    owner = await sign_up(api, name="olive")
    user = await factories.user_named(database, "olive")
    publishers = [
        await factories.make_author(database),
        await factories.make_author(database, username="Ö.b"),
    ]
    for number in range(5):
        package = await factories.make_package(
            database,
            author=publishers[number % 2],
            name=f"{ODD} {number}",
            categories=["tools"],
            ratings=[[], [5, 4, 4], [1], [3, 3], [5]][number],
            price_cents=[0, 1999, 5, 2**40, 100][number],
            downloads=[0, 2**45, 7, 7, 1][number],
            published_at=EXACT + timedelta(days=number),
        )
        for version in range(number):
            await factories.make_version(
                database, package=package, version=f"1.{version}.0", changelog=ODD, published_at=WHOLE
            )
    await make_key(owner, "READ", "WRITE")
    await make_key(owner, "PURCHASE")
    for number in range(3):
        await factories.make_invoice(
            database, user=user, description=ODD, period_start=[None, EXACT, WHOLE][number]
        )
    return Shelf(owner, [global_id("Author", author.id) for author in publishers])


async def ask_again(api: Api, document: str, **variables: Any) -> Answer:
    """The last of many answers, which must be alike."""
    answers = [await api(document, **variables) for _ in range(TIMES)]
    assert [_told(each) for each in answers] == [_told(answers[0])] * TIMES
    return answers[-1]


def _told(answer: Answer) -> Any:
    errors = [{**each, "extensions": {**each["extensions"], "requestId": None}} for each in answer.errors]
    return answer.data, errors


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_the_answer_is_the_same_each_time(shelf: Shelf, name: str) -> None:
    variables = {"ids": shelf.author_ids} if "$ids" in DOCUMENTS[name] else {}
    answer = await ask_again(shelf.owner.api, DOCUMENTS[name], **variables)
    assert bool(answer.errors) is ("wrong" in name or "another" in name), answer.errors


@pytest.mark.parametrize("name", BY_ONE_STATEMENT)
async def test_one_statement_answers_for_all(shelf: Shelf, database: Database, name: str) -> None:
    for _ in range(TIMES):
        await shelf.owner.api(DOCUMENTS[name])
    with counted(shelf.owner.api.deps.database) as seen:
        answer = await shelf.owner.api(DOCUMENTS[name])
    built = [each for each in seen if "json_build_object" in each]
    # Beside it: the viewer, the counter of API calls and the raw event.
    assert (len(built), len(seen)) == ((1, 4) if database.dialect == "postgresql" else (0, len(seen)))
    assert answer.data


async def test_every_field_of_a_projection_is_asked_for_here() -> None:
    """What would be added without a test could be written otherwise than the resolvers write it."""
    asked = set(" ".join(DOCUMENTS.values()).replace("(", " ").split())
    shown = [each for each in vars(projections).values() if isinstance(each, projections.Projection)]
    assert [name for each in shown for name in each.fields if name not in asked] == []


async def test_pages_follow_each_other(shelf: Shelf) -> None:
    document = f"query($after: String) {{ packages(first: 2, after: $after) {{ {INFO} edges {{ node {{ slug }} }} }} }}"
    pages, after = [], None
    for _ in range(3):
        found = (await ask_again(shelf.owner.api, document, after=after)).payload()
        pages.append([edge["node"]["slug"] for edge in found["edges"]])
        assert found["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = found["pageInfo"]["endCursor"]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({slug for page in pages for slug in page}) == 5
    assert found["pageInfo"]["hasNextPage"] is False


async def test_statements_are_given_up_for_later_ones(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_STATEMENTS", 2)
    monkeypatch.setattr(Statements, "_kept", OrderedDict())
    document = "query($least: Int) { packages(filter: {minPriceCents: $least}) { edges { node { slug } } } }"
    for least, found in ((0, 5), (5, 4), (100, 3), (0, 5)):
        pages = (await ask_again(shelf.owner.api, document, least=least)).payload()
        assert len(pages["edges"]) == found
        assert len(Statements._kept) <= 2


async def test_what_changed_is_seen_at_once(shelf: Shelf) -> None:
    document = "{ viewer { displayName apiKeys { edges { node { name } } } } }"
    assert (await ask_again(shelf.owner.api, document)).payload()["displayName"] is None
    change = 'mutation { updateProfile(input: {displayName: "Olive"}) { errors { code } } }'
    assert (await shelf.owner.api(change)).payload()["errors"] == []
    assert (await shelf.owner.api(document)).payload()["displayName"] == "Olive"


async def test_who_may_not_read_is_refused_each_time(shelf: Shelf, api: Api) -> None:
    document = "{ viewer { email apiKeys { edges { node { name } } } } }"
    assert (await ask_again(shelf.owner.api, document)).payload()["email"] == "olive@example.test"
    assert (await ask_again(api, document)).code == "UNAUTHENTICATED"
    key = await make_key(shelf.owner, "PURCHASE")
    assert (await ask_again(api.as_(key), document)).code == "FORBIDDEN"


async def test_accounts_see_their_own(shelf: Shelf, api: Api) -> None:
    document = "{ viewer { email invoices { totalCount } } }"
    stranger = await sign_up(api, name="stran")
    assert (await ask_again(shelf.owner.api, document)).payload() == {
        "email": "olive@example.test",
        "invoices": {"totalCount": 3},
    }
    assert (await ask_again(stranger.api, document)).payload() == {
        "email": "stran@example.test",
        "invoices": {"totalCount": 0},
    }


async def test_books_of_others_stay_theirs_and_are_open_to_staff(shelf: Shelf, api: Api) -> None:
    document = """query($id: ID!) { node(id: $id) { ... on User { apiKeys(first: 5) { edges { node { name } } } } } }"""
    stranger, boss = await sign_up(api, name="stran"), await sign_up_as(api, Role.ADMIN, name="boss")
    assert (await ask_again(stranger.api, document, id=shelf.owner.id)).payload() is None
    found = (await ask_again(boss.api, document, id=shelf.owner.id)).payload()
    assert [edge["node"]["name"] for edge in found["apiKeys"]["edges"]] == ["a key", "a key"]


async def test_drafts_are_shown_to_their_author_alone(api: Api, database: Database) -> None:
    document = (
        """query($id: ID!) { node(id: $id) { ... on Author { packages { edges { node { slug } } } } } }"""
    )
    author = await sign_up(api, name="writer")
    (await author.api("mutation { becomeAuthor { errors { code } } }")).payload()
    async with database.read() as connection:
        row = await authors.by_username_key(connection, "writer")
    await factories.make_package(database, author=row, slug="done")
    await factories.make_package(database, author=row, slug="unfinished", status="draft", published_at=None)
    for who, slugs in ((author.api, ["unfinished", "done"]), (api, ["done"])):
        found = (await ask_again(who, document, id=global_id("Author", row.id))).payload()
        assert [edge["node"]["slug"] for edge in found["packages"]["edges"]] == slugs
