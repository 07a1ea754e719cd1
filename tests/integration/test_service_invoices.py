"""Invoices for services: issued once whatever fails on the way, paid, voided; and by admins alone."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.db.models import AuditEntry, IdempotencyKey, Invoice, InvoiceLine
from app.domain.api_keys import Role
from app.domain.settlement import Kind, Target
from app.jobs import CHORES
from app.settlement.syncing import sync
from tests.support.clients import Account, sign_up, sign_up_as
from tests.support.invoicing import Billed, make_billed
from tests.support.payments import Shop

CREATE = """mutation($input: CreateServiceInvoiceInput!) { createServiceInvoice(input: $input) {
    invoice { id number status description total { amountCents currency } amountDue { amountCents } dueAt
        hostedUrl pdfUrl lines { description quantity unitAmount { amountCents } amount { amountCents } } }
    errors { code message path } } }"""
VOID = """mutation($input: VoidInvoiceInput!) { voidInvoice(input: $input) {
    invoice { status } errors { code message } } }"""
LINES = [
    {"description": "Support package Gold", "quantity": 12, "unitAmountCents": 20_000},
    {"description": "Training on site", "unitAmountCents": 90_000},
    {"description": "For friends", "unitAmountCents": -5_000},
]


@pytest.fixture
async def billed(shop: Shop) -> Billed:
    return await make_billed(shop)


@pytest.fixture
async def admin(shop: Shop) -> Account:
    return await sign_up_as(shop.api, Role.ADMIN)


async def create(admin: Account, billed: Billed, **given: Any) -> dict[str, Any]:
    asked = {
        "userId": billed.account.id,
        "lines": LINES,
        "currency": "USD",
        "memo": "Order 4711",
        "idempotencyKey": "k-1",
        **given,
    }
    return dict((await admin.api(CREATE, input=asked)).payload())


async def sweep(shop: Shop) -> None:
    (chore,) = [each for each in CHORES if each.__name__ == "settle_service_invoices"]
    shop.forward(minutes=10)
    await chore(shop.api.deps)


def at_provider(billed: Billed) -> list[Any]:
    return list(billed.client.v1.invoices.list({"customer": billed.customer}).data)


async def test_an_invoice_is_issued_with_its_lines(shop: Shop, billed: Billed, admin: Account) -> None:
    """What waits for the plan's next invoice is not among them."""
    waiting: Any = {"customer": billed.customer, "amount": 700, "currency": "usd"}
    billed.client.v1.invoice_items.create(waiting)
    made = await create(admin, billed)
    assert made["errors"] == []
    shown = made["invoice"]
    assert (shown["status"], shown["description"]) == ("OPEN", "Order 4711")
    assert shown["number"].endswith("-0001")
    assert (shown["total"], shown["amountDue"]) == (
        {"amountCents": 325_000, "currency": "USD"},
        {"amountCents": 325_000},
    )
    assert [
        (line["description"], line["quantity"], line["amount"]["amountCents"]) for line in shown["lines"]
    ] == [
        ("Support package Gold", 12, 240_000),
        ("Training on site", 1, 90_000),
        ("For friends", 1, -5_000),
    ]
    assert [line["unitAmount"]["amountCents"] for line in shown["lines"]] == [20_000, 90_000, -5_000]
    due = shop.api.clock.now + timedelta(days=14)
    assert shown["dueAt"] == due.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert shown["hostedUrl"].startswith(shop.stand_in.address)
    (row,) = await billed.all(Invoice)
    assert (row.wanted_status, row.check_at, row.subscription_id) == (None, None, None)
    assert await billed.facts() == [("invoice.issued", {"invoice_id": str(row.id)})]
    (entry,) = [each for each in await billed.all(AuditEntry) if each.action == "service_invoice_created"]
    assert (entry.subject_id, entry.details["total_cents"]) == (row.id, 325_000)


async def test_the_same_request_gives_the_same_invoice(billed: Billed, admin: Account) -> None:
    first = await create(admin, billed)
    assert (await create(admin, billed))["invoice"]["id"] == first["invoice"]["id"]
    assert len(at_provider(billed)) == len(await billed.all(Invoice)) == 1
    other = await create(admin, billed, memo="another")
    assert [error["code"] for error in other["errors"]] == ["IDEMPOTENCY_KEY_REUSED"]
    assert len(await billed.all(Invoice)) == 1


async def test_many_at_once_issue_one(billed: Billed, admin: Account) -> None:
    made = await asyncio.gather(*(create(admin, billed) for _ in range(4)))
    assert len({answer["invoice"]["id"] for answer in made if answer["invoice"]}) == 1
    assert len(at_provider(billed)) == len(await billed.all(Invoice)) == 1
    assert len(await billed.facts()) == 1


async def test_it_is_paid_on_the_providers_page_and_receipted(
    shop: Shop, billed: Billed, admin: Account
) -> None:
    await create(admin, billed)
    (made,) = at_provider(billed)
    (payment,) = await billed.payments()
    shop.act(payment.stripe_payment_intent_id, "pay", card="pm_card_visa")
    await sync(shop.api.deps.tools, Target(Kind.INVOICE, made.id))
    (row,) = await billed.all(Invoice)
    assert (row.status, row.receipt_number) == ("paid", "RG-2026-000001")
    assert [topic for topic, _ in await billed.facts()] == ["invoice.issued", "invoice.paid"]


STEPS = ["/v1/invoices", "/v1/invoiceitems", "/v1/invoices/*/finalize"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("path", STEPS)
async def test_what_a_lost_answer_left_open_is_finished_once(
    shop: Shop, billed: Billed, admin: Account, path: str, when: str
) -> None:
    """The answer is lost at one of the calls, and so are its repetitions; the sweeper brings it to its end."""
    shop.stand_in.ask("/faults", kind="error", status=500, method="POST", path=path, when=when, times=3)
    made = await create(admin, billed)
    assert [error["code"] for error in made["errors"]] == ["PAYMENT_UNCONFIRMED"]
    (row,) = await billed.all(Invoice)
    assert (row.status, row.wanted_status, row.total_cents) == ("draft", "open", 325_000)
    assert len(await billed.lines(row)) == 3
    assert await billed.facts() == []
    await sweep(shop)
    (row,) = await billed.all(Invoice)
    assert (row.status, row.total_cents, row.wanted_status, row.check_at) == ("open", 325_000, None, None)
    assert [line.amount_cents for line in await billed.lines(row)] == [240_000, 90_000, -5_000]
    (there,) = at_provider(billed)
    assert (there.id, there.total) == (row.stripe_invoice_id, 325_000)
    assert await billed.facts() == [("invoice.issued", {"invoice_id": str(row.id)})]
    assert (await create(admin, billed))["invoice"]["status"] == "OPEN"


@pytest.mark.parametrize(("path", "skip"), [("/v1/invoiceitems", 12), ("/v1/invoices", 0)])
async def test_what_was_left_open_for_days_is_found_and_not_made_again(
    shop: Shop, billed: Billed, admin: Account, path: str, skip: int
) -> None:
    """The provider has forgotten the keys by then, and shows no more than ten lines of an invoice at once."""
    fault = {"kind": "error", "status": 500, "method": "POST", "when": "after"}
    shop.stand_in.ask("/faults", times=3, path=path, skip=skip, **fault)
    amounts = [1000 + number for number in range(14)]
    await create(
        admin, billed, lines=[{"description": "Part", "unitAmountCents": cents} for cents in amounts]
    )
    shop.forward(days=3)
    await sweep(shop)
    (row,) = await billed.all(Invoice)
    assert (row.status, row.total_cents) == ("open", sum(amounts))
    assert [line.amount_cents for line in await billed.lines(row)] == amounts
    (there,) = at_provider(billed)
    assert (there.total, len(there.lines.data), there.lines.has_more) == (sum(amounts), 10, True)


async def test_a_draft_that_is_seen_half_made_stays_as_it_was_written(
    shop: Shop, billed: Billed, admin: Account
) -> None:
    shop.stand_in.ask(
        "/faults", kind="error", status=500, path="/v1/invoiceitems", when="before", times=3, skip=1
    )
    await create(admin, billed)
    (there,) = at_provider(billed)
    await sync(shop.api.deps.tools, Target(Kind.INVOICE, there.id))
    (row,) = await billed.all(Invoice)
    assert (row.status, row.total_cents, len(await billed.lines(row))) == ("draft", 325_000, 3)


async def test_what_the_provider_refuses_is_void_and_says_why(billed: Billed, admin: Account) -> None:
    small = [{"description": "Dust", "unitAmountCents": 1}]
    billed.client.v1.invoices.create({"customer": billed.customer, "currency": "usd"})
    billed.client.v1.customers.delete(billed.customer)
    made = await create(admin, billed, lines=small)
    assert [error["code"] for error in made["errors"]] == ["PAYMENT_REFUSED"]
    (row,) = await billed.all(Invoice)
    assert (row.status, row.check_at, row.wanted_status) == ("void", None, None)
    again = await create(admin, billed, lines=small)
    assert again["errors"] == made["errors"]
    assert await billed.facts() == []


@pytest.mark.parametrize("lost", [False, True])
async def test_a_draft_that_is_refused_half_made_does_not_come_back(
    shop: Shop, billed: Billed, admin: Account, lost: bool
) -> None:
    fault = {"kind": "error", "status": 400, "path": "/v1/invoiceitems", "when": "before"}
    shop.stand_in.ask("/faults", **fault, times=1 + lost, skip=1)
    if lost:
        shop.lose("/v1/invoices/in_*", when="after", method="DELETE")
    made = await create(admin, billed)
    assert [error["code"] for error in made["errors"]] == [
        "PAYMENT_UNCONFIRMED" if lost else "PAYMENT_REFUSED"
    ]
    await sweep(shop)
    await shop.deliver()
    assert await shop.work() == []
    (row,) = await billed.all(Invoice)
    assert (row.status, row.wanted_status, row.check_at, row.total_cents) == ("void", None, None, 325_000)
    assert at_provider(billed) == []
    assert await billed.facts() == []


async def test_an_open_one_is_voided_once(shop: Shop, billed: Billed, admin: Account) -> None:
    made = (await create(admin, billed))["invoice"]
    for _ in range(2):
        voided = (await admin.api(VOID, input={"id": made["id"]})).payload()
        assert voided == {"invoice": {"status": "VOID"}, "errors": []}
    assert [each.status for each in at_provider(billed)] == ["void"]
    voidings = [each for each in await billed.all(AuditEntry) if each.action == "invoice_voided"]
    assert len(voidings) == 1


async def test_a_voiding_whose_answer_is_lost_is_finished(shop: Shop, billed: Billed, admin: Account) -> None:
    made = (await create(admin, billed))["invoice"]
    shop.stand_in.ask("/faults", kind="error", status=500, path="/v1/invoices/*/void", when="after", times=3)
    answer = (await admin.api(VOID, input={"id": made["id"]})).payload()
    assert [error["code"] for error in answer["errors"]] == ["PAYMENT_UNCONFIRMED"]
    await sweep(shop)
    (row,) = await billed.all(Invoice)
    assert (row.status, row.wanted_status, row.check_at) == ("void", None, None)


async def test_what_is_paid_meanwhile_is_not_voided(shop: Shop, billed: Billed, admin: Account) -> None:
    made = (await create(admin, billed))["invoice"]
    (payment,) = await billed.payments()
    shop.act(payment.stripe_payment_intent_id, "pay", card="pm_card_visa")
    for _ in range(2):
        answer = (await admin.api(VOID, input={"id": made["id"]})).payload()
        assert [error["code"] for error in answer["errors"]] == ["INVALID_STATE"]
    (row,) = await billed.all(Invoice)
    assert (row.status, row.wanted_status) == ("paid", None)


async def test_invoices_of_subscriptions_are_not_voided_here(billed: Billed, admin: Account) -> None:
    await billed.mirror(billed.make(2900))
    books = "query($id: ID!) { node(id: $id) { ... on User { invoices { edges { node { id } } } } } }"
    shown = (await admin.api(books, id=billed.account.id)).payload()
    answer = await admin.api(VOID, input={"id": shown["invoices"]["edges"][0]["node"]["id"]})
    assert [error["code"] for error in answer.payload()["errors"]] == ["NOT_FOUND"]
    assert [each.status for each in at_provider(billed)] == ["open"]


@pytest.mark.parametrize(
    "given, field",
    [
        ({"lines": []}, "lines"),
        ({"lines": [{"description": "x", "unitAmountCents": 1}] * 51}, "lines"),
        ({"lines": [{"description": " ", "unitAmountCents": 1}]}, "description"),
        ({"lines": [{"description": "x" * 501, "unitAmountCents": 1}]}, "description"),
        ({"lines": [{"description": "a\u202eb", "unitAmountCents": 1}]}, "description"),
        ({"lines": [{"description": "x", "unitAmountCents": 1, "quantity": 0}]}, "quantity"),
        ({"lines": [{"description": "x", "unitAmountCents": 100_000_000}]}, "unitAmountCents"),
        ({"lines": [{"description": "x", "unitAmountCents": 99_999_999, "quantity": 2}]}, "lines"),
        ({"lines": [{"description": "x", "unitAmountCents": -1}]}, "lines"),
        ({"currency": "QQQ"}, "currency"),
        ({"currency": "ISK"}, "currency"),
        ({"daysUntilDue": 0}, "daysUntilDue"),
        ({"daysUntilDue": 366}, "daysUntilDue"),
        ({"memo": "x" * 501}, "memo"),
        ({"idempotencyKey": ""}, "idempotencyKey"),
    ],
)
async def test_what_cannot_be_invoiced_is_refused_and_leaves_nothing(
    billed: Billed, admin: Account, given: dict[str, Any], field: str
) -> None:
    made = await create(admin, billed, **given)
    assert [(error["code"], error["path"]) for error in made["errors"]] == [
        ("BAD_USER_INPUT", ["input", field])
    ]
    assert [await billed.all(model) for model in (Invoice, InvoiceLine, IdempotencyKey)] == [[], [], []]
    assert at_provider(billed) == []


async def test_only_admins_write_invoices(shop: Shop, billed: Billed) -> None:
    support = await sign_up_as(shop.api, Role.SUPPORT)
    for account in (support, billed.account, await sign_up(shop.api)):
        asked = {"userId": billed.account.id, "lines": LINES, "currency": "USD", "idempotencyKey": "k"}
        assert (await account.api(CREATE, input=asked)).code == "FORBIDDEN"
    assert await billed.all(Invoice) == []
