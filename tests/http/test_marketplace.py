"""A package taken, downloaded, reviewed and found in the books, through the front door."""

import hashlib
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert

from app.db.ids import new_id
from app.db.models import Invoice, InvoiceLine, Payment, PaymentMethod
from app.domain.api_keys import Role
from app.gateways.licences import verify
from app.schema.node import global_id, split_id
from tests.support.clients import Account, Api, make_key, sign_up, sign_up_as
from tests.support.factories import (
    NOW,
    make_file,
    make_package,
    make_purchase,
    make_review,
    make_user,
    make_version,
)
from tests.support.statements import counted

CONTENT = b"the theme's archive"
PURCHASE = """mutation($input: PurchasePackageInput!) { purchasePackage(input: $input) {
    purchase { id status amount { amountCents currency formatted } receiptNumber createdAt completedAt
               package { id slug viewerOwns } version { version }
               licence { id status document publicKey package { slug } version { version } } }
    payment { id } errors { code message path } } }"""
DOWNLOAD = """mutation($input: CreateDownloadInput!) { createDownload(input: $input) {
    download { url expiresAt sha256 sizeBytes filename } errors { code message path } } }"""
REVIEW = """mutation($input: ReviewPackageInput!) { reviewPackage(input: $input) {
    review { id rating title body reviewer { username } }
    package { rating ratingCount viewerReview { rating } } errors { code message path } } }"""


@pytest.fixture
async def package(api: Api) -> SimpleNamespace:
    """With a file that is in the store."""
    package = await make_package(api.deps.database, slug="docs-theme", name="Docs theme")
    package.version = await make_version(api.deps.database, package=package, with_file=False)
    file = await make_file(api.deps.database, version=package.version, content=CONTENT, path="theme.zip")
    await api.deps.store.put(file.storage_key, _chunks())
    package.gid = global_id("Package", package.id)
    return package


async def _chunks() -> AsyncIterator[bytes]:
    yield CONTENT


async def _buy(account: Account, package: SimpleNamespace, **given: Any) -> Any:
    asked = {"packageId": package.gid, "idempotencyKey": "k", **given}
    return (await account.api(PURCHASE, input=asked)).payload()


async def test_the_whole_way(api: Api, package: SimpleNamespace) -> None:
    ada = await sign_up(api, name="ada")
    bought = await _buy(ada, package)
    assert (bought["errors"], bought["payment"]) == ([], None)
    purchase = bought["purchase"]
    licence = purchase.pop("licence")
    assert purchase == {
        "id": purchase["id"],
        "status": "COMPLETED",
        "amount": {"amountCents": 0, "currency": "USD", "formatted": "$0.00"},
        "receiptNumber": "RG-2026-000001",
        "createdAt": "2026-11-22T12:00:00.000Z",
        "completedAt": "2026-11-22T12:00:00.000Z",
        "package": {"id": package.gid, "slug": "docs-theme", "viewerOwns": True},
        "version": {"version": "1.0.0"},
    }
    keys = (await api("{ licenceKeys { kid publicKey algorithm } }")).payload()
    assert keys == (await api.http.get("/.well-known/revgraph-licence-keys.json")).json()["keys"]
    fields = verify(licence["document"], {key["kid"]: key["publicKey"] for key in keys})
    assert (fields["package"], fields["licensee"], fields["version"]) == ("docs-theme", "ada", "1.0.0")
    assert (licence["status"], licence["publicKey"]) == ("ACTIVE", keys[0]["publicKey"])
    assert (licence["package"], licence["version"]) == ({"slug": "docs-theme"}, {"version": "1.0.0"})
    assert (await _buy(ada, package))["purchase"]["id"] == purchase["id"]

    asked = {"packageId": package.gid, "version": "1.0.0"}
    link = (await ada.api(DOWNLOAD, input=asked)).payload()
    assert link["errors"] == []
    download = link["download"]
    assert download | {"url": ""} == {
        "url": "",
        "expiresAt": "2026-11-22T13:00:00.000Z",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "sizeBytes": len(CONTENT),
        "filename": "theme.zip",
    }
    base_url, path = download["url"].split("/downloads/")
    assert base_url == api.deps.base_url
    given = await api.http.get(f"/downloads/{path}")
    assert (given.status_code, given.content) == (200, CONTENT)
    assert "x-request-id" in given.headers
    assert (await api.http.get(f"/downloads/{path}")).status_code == 410

    written = await ada.api(REVIEW, input={"packageId": package.gid, "rating": 4, "title": "Good"})
    assert written.payload() == {
        "review": {
            "id": written.payload()["review"]["id"],
            "rating": 4,
            "title": "Good",
            "body": "",
            "reviewer": {"username": "ada"},
        },
        "package": {"rating": 4.0, "ratingCount": 1, "viewerReview": {"rating": 4}},
        "errors": [],
    }
    shown = await api(
        """{ package(slug: "docs-theme") { downloads rating viewerReview { id } reviews { totalCount edges {
             node { rating title reviewer { username } } } } } }"""
    )
    assert shown.payload() == {
        "downloads": 1,
        "rating": 4.0,
        "viewerReview": None,
        "reviews": {
            "totalCount": 1,
            "edges": [{"node": {"rating": 4, "title": "Good", "reviewer": {"username": "ada"}}}],
        },
    }


async def test_refusals_are_data(api: Api, package: SimpleNamespace) -> None:
    ada = await sign_up(api)
    asked = {"packageId": package.gid, "version": None}
    refused = (await ada.api(DOWNLOAD, input=asked)).payload()
    assert refused["download"] is None
    assert [(each["code"], each["path"]) for each in refused["errors"]] == [
        ("NOT_OWNED", ["input", "packageId"])
    ]
    refused = (await ada.api(REVIEW, input={"packageId": package.gid, "rating": 5})).payload()
    assert [error["code"] for error in refused["errors"]] == ["NOT_OWNED"]
    paid = await make_package(api.deps.database, price_cents=1900)
    await make_version(api.deps.database, package=paid)
    refused = await _buy(ada, SimpleNamespace(gid=global_id("Package", paid.id)))
    assert (refused["purchase"], refused["payment"]) == (None, None)
    assert [error["code"] for error in refused["errors"]] == ["PAYMENTS_NOT_CONFIGURED"]
    refused = await _buy(ada, SimpleNamespace(gid=ada.id))
    assert [error["code"] for error in refused["errors"]] == ["BAD_USER_INPUT"]


async def test_the_free_plan_ends_after_five(api: Api, package: SimpleNamespace) -> None:
    ada, database = await sign_up(api), api.deps.database
    for number in range(5):
        other = await make_package(database)
        await make_version(database, package=other)
        taken = await _buy(
            ada, SimpleNamespace(gid=global_id("Package", other.id)), idempotencyKey=f"k{number}"
        )
        assert taken["errors"] == []
    document = PURCHASE.replace(
        "message path", "message ... on QuotaExceeded { resource used limit resetsAt }"
    )
    asked = {"packageId": package.gid, "idempotencyKey": "k5"}
    refused = (await ada.api(document, input=asked)).payload()
    assert refused["errors"][0] | {"message": ""} == {
        "code": "QUOTA_EXCEEDED",
        "message": "",
        "resource": "TEMPLATE_INSTALL",
        "used": 5,
        "limit": 5,
        "resetsAt": "2026-12-22T12:00:00.000Z",
    }
    listed = await ada.api("{ viewer { purchases(first: 2) { totalCount edges { node { id } } } } }")
    assert listed.payload()["purchases"]["totalCount"] == 5


@pytest.mark.parametrize("document", [PURCHASE, DOWNLOAD, REVIEW])
async def test_nobody_without_an_account(api: Api, package: SimpleNamespace, document: str) -> None:
    fields: dict[str, Any] = {PURCHASE: {"idempotencyKey": "k"}, DOWNLOAD: {}, REVIEW: {"rating": 5}}[
        document
    ]
    answer = await api(document, input={"packageId": package.gid, **fields})
    assert answer.code == "UNAUTHENTICATED"


async def test_keys_do_what_their_scopes_allow(api: Api, package: SimpleNamespace) -> None:
    ada = await sign_up(api)
    buyer, reader = await make_key(ada, "PURCHASE"), await make_key(ada, "READ")
    asked = {"packageId": package.gid}
    assert (await api.as_(reader)(PURCHASE, input={**asked, "idempotencyKey": "k"})).code == "FORBIDDEN"
    bought = await api.as_(buyer)(PURCHASE, input={**asked, "idempotencyKey": "k"})
    assert bought.payload()["errors"] == []
    assert (await api.as_(buyer)(DOWNLOAD, input=asked)).code == "FORBIDDEN"
    assert (await api.as_(reader)(REVIEW, input={**asked, "rating": 5})).code == "FORBIDDEN"
    assert (await api.as_(reader)(DOWNLOAD, input=asked)).payload()["errors"] == []


BOOKS = """{ viewer {
    invoices { totalCount edges { node { id number status subtotal { amountCents } discount { amountCents }
        tax { amountCents } total { formatted } amountPaid { amountCents } periodStart issuedAt dueAt paidAt
        lines { description quantity amount { formatted } } } } }
    payments { totalCount edges { node {
        id status amount { formatted } refunded { amountCents } clientSecret } } }
    paymentMethods { totalCount edges { node { id kind brand last4 expMonth expYear isDefault } } } } }"""


async def _books(api: Api, account: Account, *, invoices: int = 1) -> None:
    split = split_id(account.id)
    assert split is not None
    user_id = split[1]
    async with api.deps.database.transaction() as connection:
        for number in range(invoices):
            invoice_id = new_id()
            amounts = {"subtotal_cents": 2900, "discount_cents": 900, "tax_cents": 380, "total_cents": 2380}
            await connection.execute(
                insert(Invoice).values(
                    id=invoice_id,
                    user_id=user_id,
                    number=f"{account.username}-{number}",
                    status="paid",
                    currency="USD",
                    amount_paid_cents=2380,
                    issued_at=NOW,
                    created_at=NOW,
                    **amounts,
                )
            )
            for position in (1, 0):
                await connection.execute(
                    insert(InvoiceLine).values(
                        id=new_id(),
                        invoice_id=invoice_id,
                        position=position,
                        description=f"Line {position}",
                        quantity=1,
                        amount_cents=1450,
                    )
                )
            await connection.execute(
                insert(Payment).values(
                    id=new_id(),
                    user_id=user_id,
                    invoice_id=invoice_id,
                    status="succeeded",
                    amount_cents=2380,
                    refunded_cents=380,
                    currency="USD",
                    attempt=1,
                    created_at=NOW,
                    updated_at=NOW,
                )
            )
        for removed_at, last4 in ((None, "4242"), (NOW, "0000")):
            await connection.execute(
                insert(PaymentMethod).values(
                    id=new_id(),
                    user_id=user_id,
                    stripe_payment_method_id=f"pm_{account.username}_{last4}",
                    kind="card",
                    brand="visa",
                    last4=last4,
                    exp_month=12,
                    exp_year=2030,
                    is_default=removed_at is None,
                    created_at=NOW,
                    removed_at=removed_at,
                )
            )


async def test_the_books(api: Api) -> None:
    ada, eve, admin = await sign_up(api), await sign_up(api), await sign_up_as(api, Role.ADMIN)
    await _books(api, ada)
    shown = (await ada.api(BOOKS)).payload()
    [invoice], [payment], [method] = (
        [edge["node"] for edge in shown[name]["edges"]] for name in ("invoices", "payments", "paymentMethods")
    )
    assert [shown[name]["totalCount"] for name in ("invoices", "payments", "paymentMethods")] == [1, 1, 1]
    assert invoice == {
        "id": invoice["id"],
        "number": f"{ada.username}-0",
        "status": "PAID",
        "subtotal": {"amountCents": 2900},
        "discount": {"amountCents": 900},
        "tax": {"amountCents": 380},
        "total": {"formatted": "$23.80"},
        "amountPaid": {"amountCents": 2380},
        "periodStart": None,
        "issuedAt": "2026-01-15T12:00:00.000Z",
        "dueAt": None,
        "paidAt": None,
        "lines": [
            {"description": "Line 0", "quantity": 1, "amount": {"formatted": "$14.50"}},
            {"description": "Line 1", "quantity": 1, "amount": {"formatted": "$14.50"}},
        ],
    }
    assert (payment["status"], payment["amount"]["formatted"], payment["refunded"]["amountCents"]) == (
        "SUCCEEDED",
        "$23.80",
        380,
    )
    assert method | {"id": ""} == {
        "id": "",
        "kind": "card",
        "brand": "visa",
        "last4": "4242",
        "expMonth": 12,
        "expYear": 2030,
        "isDefault": True,
    }
    ids = [invoice["id"], payment["id"], method["id"]]
    nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    for account in (ada, admin):
        found = (await account.api(nodes, ids=ids)).payload()
        assert [(node["__typename"], node["id"]) for node in found] == list(
            zip(["Invoice", "Payment", "PaymentMethod"], ids, strict=True)
        )
    for stranger in (eve.api, api):
        assert (await stranger(nodes, ids=ids)).payload() == [None, None, None]


async def test_purchases_and_licences_are_their_owners_to_see(api: Api, package: SimpleNamespace) -> None:
    ada, eve = await sign_up(api), await sign_up(api)
    bought = (await _buy(ada, package))["purchase"]
    ids = [bought["id"], bought["licence"]["id"]]
    nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename } }"
    assert (await ada.api(nodes, ids=ids)).payload() == [
        {"__typename": "Purchase"},
        {"__typename": "Licence"},
    ]
    assert (await eve.api(nodes, ids=ids)).payload() == [None, None]
    assert (await api(nodes, ids=ids)).payload() == [None, None]


async def test_a_review_is_seen_where_its_package_is(api: Api) -> None:
    database, user = api.deps.database, await make_user(api.deps.database)
    for status, seen in (("published", {"__typename": "Review"}), ("draft", None)):
        package = await make_package(database, status=status)
        review = await make_review(database, user=user, package=package)
        answer = await api(
            "query($id: ID!) { node(id: $id) { __typename } }", id=global_id("Review", review.id)
        )
        assert answer.payload() == seen


PURCHASES = """{ viewer { purchases { totalCount edges { node {
    package { slug author { username } reviews(first: 3) { totalCount edges { node { rating reviewer {
    username } } } } viewerReview { rating } } version { version } licence { document publicKey package {
    slug } version { version } } } } }
    invoices { totalCount edges { node { pdfUrl receiptUrl lines { description } payments { status }
        subscription { tier } } } } } }"""


async def test_more_rows_take_no_more_statements(api: Api) -> None:
    database, counts = api.deps.database, []
    for size in (2, 12):
        account = await sign_up(api)
        split = split_id(account.id)
        assert split is not None
        user = SimpleNamespace(id=split[1])
        for _ in range(size):
            package = await make_package(database)
            version = await make_version(database, package=package)
            await make_purchase(database, user=user, package=package, version=version)
            for _ in range(4):
                await make_review(database, user=await make_user(database), package=package)
        await _books(api, account, invoices=size)
        with counted(database) as statements:
            shown = (await account.api(PURCHASES)).payload()
        edges = shown["purchases"]["edges"]
        assert (len(edges), shown["purchases"]["totalCount"]) == (size, size)
        assert [edge["node"]["package"]["reviews"]["totalCount"] for edge in edges] == [4] * size
        assert [len(edge["node"]["package"]["reviews"]["edges"]) for edge in edges] == [3] * size
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_pages_of_reviews_go_both_ways(api: Api) -> None:
    database = api.deps.database
    package = await make_package(database, slug="paged")
    for rating in (1, 2, 3, 4, 5):
        await make_review(database, user=await make_user(database), package=package, rating=rating)
    document = """query($first: Int, $after: String, $last: Int, $before: String) { package(slug: "paged") {
        reviews(first: $first, after: $after, last: $last, before: $before) {
            edges { node { rating } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""

    async def ratings(**given: Any) -> tuple[list[int], dict[str, Any]]:
        page = (await api(document, **given)).payload()["reviews"]
        return [edge["node"]["rating"] for edge in page["edges"]], page["pageInfo"]

    newest, info = await ratings(first=2)
    assert (newest, info["hasNextPage"], info["hasPreviousPage"]) == ([5, 4], True, False)
    middle, info = await ratings(first=2, after=info["endCursor"])
    assert (middle, info["hasNextPage"], info["hasPreviousPage"]) == ([3, 2], True, True)
    back, info = await ratings(last=2, before=info["startCursor"])
    assert (back, info["hasNextPage"], info["hasPreviousPage"]) == ([5, 4], True, False)
    oldest, info = await ratings(last=1)
    assert (oldest, info["hasNextPage"], info["hasPreviousPage"]) == ([1], False, True)
