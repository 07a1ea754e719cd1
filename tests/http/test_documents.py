"""Invoices and receipts over HTTP: the query, the links, and who may open them until when."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import update

from app.db.database import Database
from app.db.models import User
from app.domain.api_keys import Role
from app.domain.documents import PURPOSE, Document, Link
from app.gateways.keyring import Keyring
from app.gateways.tokens import KeyedTokens
from app.schema.node import global_id
from tests.support import factories
from tests.support.clients import PASSWORD, Account, Api, make_key, sign_up, sign_up_as
from tests.support.factories import NOW

INVOICE = """query($id: ID!) { invoice(id: $id) { number receiptNumber description status
    subtotal { amountCents } discount { amountCents } tax { amountCents } taxIncluded { amountCents }
    other { amountCents } total { formatted } amountDue { amountCents } amountPaid { amountCents }
    issuedAt dueAt paidAt attemptCount nextAttemptAt hostedUrl pdfUrl receiptUrl
    lines { description quantity unitAmount { formatted } amount { formatted } discount { amountCents }
        tax { amountCents } isProration }
    payments { status amount { amountCents } } subscription { tier } } }"""
LINKS = "query($id: ID!) { invoice(id: $id) { pdfUrl receiptUrl } }"
PAID = {"status": "paid", "paid_at": NOW, "receipt_number": "RG-2026-000001", "amount_paid_cents": 3451}


@pytest.fixture
async def owner(api: Api) -> Account:
    return await sign_up(api, name="olive")


async def invoice_of(database: Database, account: Account, **given: Any) -> str:
    user = await factories.user_named(database, account.username)
    return str(global_id("Invoice", (await factories.make_invoice(database, user=user, **given)).id))


async def links(account: Account, invoice_id: str) -> dict[str, str]:
    return dict((await account.api(LINKS, id=invoice_id)).payload())


async def fetch(api: Api, url: str) -> Any:
    parts = urlsplit(url)
    return await api.http.get(f"{parts.path}?{parts.query}")


async def test_an_invoice_is_shown_to_its_owner(api: Api, database: Database, owner: Account) -> None:
    invoice_id = await invoice_of(database, owner, number="ACME-1", description="Order 7")
    shown = (await owner.api(INVOICE, id=invoice_id)).payload()
    assert shown.pop("pdfUrl").startswith("http://127.0.0.1:3000/documents?token=")
    assert shown == {
        "number": "ACME-1", "receiptNumber": None, "description": "Order 7", "status": "OPEN",
        "subtotal": {"amountCents": 2900}, "discount": {"amountCents": 0}, "tax": {"amountCents": 551},
        "taxIncluded": {"amountCents": 0}, "other": {"amountCents": 0}, "total": {"formatted": "$34.51"},
        "amountDue": {"amountCents": 3451}, "amountPaid": {"amountCents": 0},
        "issuedAt": "2026-01-15T12:00:00.000Z", "dueAt": "2026-01-29T12:00:00.000Z", "paidAt": None,
        "attemptCount": 0, "nextAttemptAt": None, "hostedUrl": "https://pay.test/in_1", "receiptUrl": None,
        "lines": [{"description": "Training", "quantity": 1, "unitAmount": {"formatted": "$29.00"},
                   "amount": {"formatted": "$29.00"}, "discount": {"amountCents": 0},
                   "tax": {"amountCents": 0}, "isProration": False}],
        "payments": [], "subscription": None,
    }  # fmt: skip


async def test_an_invoice_is_nothing_to_others(api: Api, database: Database, owner: Account) -> None:
    invoice_id = await invoice_of(database, owner)
    stranger, support = await sign_up(api), await sign_up_as(api, Role.SUPPORT)
    assert (await stranger.api(LINKS, id=invoice_id)).payload() is None
    assert (await api(LINKS, id=invoice_id)).code == "UNAUTHENTICATED"
    assert (await support.api(LINKS, id=invoice_id)).payload()["pdfUrl"] is not None
    assert (await owner.api(LINKS, id=owner.id)).code == "BAD_USER_INPUT"


async def test_a_link_gives_the_invoice_as_pdf(api: Api, database: Database, owner: Account) -> None:
    url = (await links(owner, await invoice_of(database, owner, number="ACME-1")))["pdfUrl"]
    got = await fetch(api, url)
    assert got.status_code == 200
    assert got.content.startswith(b"%PDF-")
    assert got.headers["content-type"] == "application/pdf"
    assert got.headers["content-disposition"] == 'inline; filename="invoice-ACME-1.pdf"'
    assert got.headers["cache-control"] == "private, no-store"
    assert (await fetch(api, url)).content == got.content


async def test_a_paid_invoice_has_a_receipt(api: Api, database: Database, owner: Account) -> None:
    found = await links(owner, await invoice_of(database, owner, **PAID))
    got = await fetch(api, found["receiptUrl"])
    assert got.headers["content-disposition"] == 'inline; filename="receipt-RG-2026-000001.pdf"'
    assert got.content.startswith(b"%PDF-")


async def test_a_draft_has_no_paper(api: Api, database: Database, owner: Account) -> None:
    draft = await invoice_of(database, owner, status="draft", number=None)
    assert await links(owner, draft) == {"pdfUrl": None, "receiptUrl": None}


async def test_a_purchase_has_a_receipt(api: Api, database: Database, owner: Account) -> None:
    package = await factories.make_package(database, slug="theme")
    await factories.make_version(database, package=package)
    asked = {"packageId": global_id("Package", package.id), "idempotencyKey": "k"}
    document = """mutation($input: PurchasePackageInput!) { purchasePackage(input: $input) {
        purchase { receiptNumber receiptUrl } } }"""
    bought = (await owner.api(document, input=asked)).payload()["purchase"]
    got = await fetch(api, bought["receiptUrl"])
    assert got.headers["content-disposition"] == f'inline; filename="receipt-{bought["receiptNumber"]}.pdf"'
    assert got.content.startswith(b"%PDF-")


async def test_a_link_ends_after_an_hour(api: Api, database: Database, owner: Account) -> None:
    url = (await links(owner, await invoice_of(database, owner)))["pdfUrl"]
    api.clock.forward(minutes=59, seconds=59)
    assert (await fetch(api, url)).status_code == 200
    api.clock.forward(seconds=1)
    gone = await fetch(api, url)
    assert (gone.status_code, gone.json()["errors"][0]["extensions"]["code"]) == (410, "INVALID_TOKEN")


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: "A" + t[1:], lambda t: t.split(".")[0], lambda t: "", lambda t: f"{t}.x",
               lambda t: "é.é", lambda t: "." + t.split(".")[1], lambda t: t.replace(".", "")],
)  # fmt: skip
async def test_a_changed_link_opens_nothing(
    api: Api, database: Database, owner: Account, change: Any
) -> None:
    url = (await links(owner, await invoice_of(database, owner)))["pdfUrl"]
    (token,) = parse_qs(urlsplit(url).query)["token"]
    got = await api.http.get("/documents", params={"token": change(token)})
    assert (got.status_code, got.json()["errors"][0]["extensions"]["code"]) == (410, "INVALID_TOKEN")


async def test_what_was_signed_for_something_else_opens_nothing(
    api: Api, database: Database, owner: Account
) -> None:
    user = await factories.user_named(database, owner.username)
    invoice = await factories.make_invoice(database, user=user)
    link = Link(Document.INVOICE, invoice.id, user.id, api.clock() + timedelta(hours=1)).written()
    good = api.deps.tokens.sign(link, purpose=PURPOSE)
    assert (await api.http.get("/documents", params={"token": good})).status_code == 200
    elsewhere = KeyedTokens(Keyring(["another secret that is long enough, really"]))
    for token in (api.deps.tokens.sign(link, purpose="other"), elsewhere.sign(link, purpose=PURPOSE)):
        assert (await api.http.get("/documents", params={"token": token})).status_code == 410


async def test_a_link_is_for_its_account(api: Api, database: Database, owner: Account) -> None:
    """It opens nothing when its account ends, or may not see the document any more."""
    invoice_id = await invoice_of(database, owner)
    admin = await sign_up_as(api, Role.ADMIN, name="boss")
    url = (await links(admin, invoice_id))["pdfUrl"]
    assert (await fetch(api, url)).status_code == 200
    async with database.transaction() as connection:
        await connection.execute(update(User).where(User.username == "boss").values(role="customer"))
    assert (await fetch(api, url)).status_code == 404
    own = (await links(owner, invoice_id))["pdfUrl"]
    ended = await owner.api(
        "mutation($p: String!) { deleteAccount(input: {password: $p}) { errors { code } } }", p=PASSWORD
    )
    assert ended.payload()["errors"] == []
    assert (await fetch(api, own)).status_code == 404


async def test_a_key_that_may_not_read_gets_no_link(api: Api, database: Database, owner: Account) -> None:
    writer = await make_key(owner, "WRITE")
    assert (await api.as_(writer)(LINKS, id=await invoice_of(database, owner))).code == "FORBIDDEN"


async def test_the_log_keeps_no_link(
    api: Api, database: Database, owner: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    url = (await links(owner, await invoice_of(database, owner)))["pdfUrl"]
    capsys.readouterr()
    await fetch(api, url)
    said = capsys.readouterr().out
    assert "/documents" in said
    assert re.search(r"token|" + re.escape(url.partition("token=")[2][:20]), said) is None
