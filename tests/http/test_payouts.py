"""Authors are paid what is available, once, whatever gets lost on the way."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app import jobs
from app.db.models import AuditEntry, Payout
from app.domain.settlement import Kind, Target
from app.services import reconciliation
from app.settlement.syncing import sync
from tests.integration.test_query_plans import refuse_scans
from tests.support.clients import Api
from tests.support.ledger import assert_books_balance
from tests.support.payments import Shop
from tests.support.payouts import (
    CONNECT,
    account_of,
    connected,
    fund,
    make_payee,
    payout_rows,
    sweep,
    transfers,
)
from tests.support.statements import counted, recorded


async def test_an_author_connects_and_is_paid_once(shop: Shop) -> None:
    payee = await make_payee(shop)
    fund(shop)
    await payee.earn(5_000)
    refused = await payee.request()
    assert (refused["payout"], refused["errors"][0]["code"]) == (None, "INVALID_STATE")
    assert refused["errors"][0]["state"] == "not connected"
    link = (await payee.account.api(CONNECT, input={"returnUrl": "https://shop.test/x"})).payload()
    assert (await payee.request())["errors"][0]["state"] == "not ready"
    shop.stand_in.control.post(link["url"])
    paid = await payee.request()
    assert (paid["errors"], paid["payout"]["status"], paid["payout"]["method"]) == ([], "PAID", "TRANSFER")
    assert paid["payout"]["amount"] == {"amountCents": 5_000, "currency": "USD"}
    assert await payee.request() == paid
    (sent,) = transfers(shop)
    assert (sent.amount, sent.currency, sent.destination) == (5_000, "usd", await account_of(shop, payee))
    books = await payee.books()
    assert books["payoutsEnabled"] is True
    assert [each["amountCents"] for each in list(books["balance"][0].values())[1:]] == [0, 0, 5_000, 5_000]
    assert books["payouts"]["edges"] == [{"node": {"id": paid["payout"]["id"], "status": "PAID"}}]
    await assert_books_balance(shop.api.deps.database)


async def test_connecting_twice_makes_one_account(shop: Shop) -> None:
    payee = await make_payee(shop)
    shop.lose("/v1/accounts", when="after")
    lost = await payee.account.api(CONNECT, input={"returnUrl": "https://shop.test/x"})
    assert lost.code == "SERVICE_UNAVAILABLE"
    given = {"returnUrl": "https://shop.test/x", "refreshUrl": "https://shop.test/y"}
    links = await asyncio.gather(*(payee.account.api(CONNECT, input=given) for _ in range(3)))
    assert [link.payload()["errors"] for link in links] == [[]] * 3
    assert len(shop.stand_in.client().v1.accounts.list().data) == 1


async def test_an_account_that_was_deleted_says_what_to_do(shop: Shop) -> None:
    payee = await make_payee(shop)
    given = {"returnUrl": "https://shop.test/x"}
    assert (await payee.account.api(CONNECT, input=given)).payload()["errors"] == []
    shop.stand_in.form("DELETE", f"/v1/accounts/{await account_of(shop, payee)}")
    document = """mutation($input: ConnectPayoutsInput!) { connectPayouts(input: $input) {
        errors { code message ... on InvalidState { state } } } }"""
    [error] = (await payee.account.api(document, input=given)).payload()["errors"]
    assert (error["code"], error["state"]) == ("INVALID_STATE", "deleted at the payment provider")
    assert "write to us" in error["message"]
    assert shop.stand_in.client().v1.accounts.list().data == []


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "shop.test", "https://", "https://a.test/\n", "https://[x"]
)
async def test_connecting_leads_back_to_a_web_address(shop: Shop, url: str) -> None:
    payee = await make_payee(shop)
    made = (await payee.account.api(CONNECT, input={"returnUrl": url})).payload()
    assert made["errors"] == [{"code": "BAD_USER_INPUT", "path": ["input", "returnUrl"]}]
    assert shop.stand_in.client().v1.accounts.list().data == []


async def test_never_more_than_available_nor_less_than_the_minimum(shop: Shop) -> None:
    payee = await connected(shop, 1_500)
    fund(shop)
    await payee.shelf.sell(10_000, now=shop.api.clock())  # held
    for cents, code in [(1_501, "INSUFFICIENT_BALANCE"), (999, "BAD_USER_INPUT"), (-5, "BAD_USER_INPUT")]:
        refused = await payee.request(cents=cents)
        assert (refused["payout"], refused["errors"][0]["code"]) == (None, code)
    assert refused["errors"][0]["path"] == ["input", "amountCents"]
    assert (await payee.request(currency="EUR"))["errors"][0]["available"] == {"amountCents": 0}
    assert (await payee.request(currency="ABC"))["errors"][0]["code"] == "BAD_USER_INPUT"
    assert (await payee.request(cents=1_000))["payout"]["status"] == "PAID"
    left = await payee.request("k2")
    assert left["errors"][0]["available"] == {"amountCents": 500}
    assert left["errors"][0]["minimum"] == {"amountCents": 1_000}
    assert (await payee.request(cents=1_200))["errors"][0]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert [row.amount_cents for row in await payout_rows(shop)] == [1_000]
    assert await payee.available() == 500


async def test_requests_at_once_share_what_there_is(shop: Shop) -> None:
    payee = await connected(shop, 2_500)
    fund(shop)
    asked = await asyncio.gather(*(payee.request(f"k{n}", cents=1_000) for n in range(6)))
    assert sorted(len(each["errors"]) for each in asked) == [0, 0, 1, 1, 1, 1]
    same = await asyncio.gather(*(payee.request("k0", cents=1_000) for _ in range(3)))
    assert len({str(each["payout"]) for each in same}) == 1
    assert sorted(sent.amount for sent in transfers(shop)) == [1_000, 1_000]
    assert await payee.available() == 500
    await assert_books_balance(shop.api.deps.database)


async def test_a_request_that_began_before_another_payout_sees_it(shop: Shop) -> None:
    """Each request has its own moment, and each server its own clock: the later one may be first."""
    payee = await connected(shop, 2_500)
    fund(shop)
    shop.forward(hours=1)
    assert (await payee.request("later"))["payout"]["status"] == "PAID"
    shop.api.clock.forward(milliseconds=-200)
    refused = await payee.request("earlier")
    assert refused["errors"][0]["available"] == {"amountCents": 0}
    assert [sent.amount for sent in transfers(shop)] == [2_500]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("days", [0, 3])
async def test_a_lost_answer_is_neither_a_refusal_nor_paid_twice(shop: Shop, when: str, days: int) -> None:
    """Also when the sweeper comes after the provider has forgotten the key."""
    payee = await connected(shop)
    fund(shop)
    shop.lose("/v1/transfers", when=when)
    open_ = await payee.request()
    assert (open_["errors"], open_["payout"]["status"]) == ([], "PENDING")
    assert await payee.available() == 0
    await sweep(shop)
    assert (await payout_rows(shop))[0].status == "pending"  # whoever asked is still at it
    shop.forward(days=days, minutes=3)
    await sweep(shop)
    (row,) = await payout_rows(shop)
    assert (row.status, row.check_at, len(transfers(shop))) == ("paid", None, 1)
    await sweep(shop)
    assert (len(transfers(shop)), await payee.available()) == (1, 0)
    assert (await payee.request())["payout"]["status"] == "PAID"


async def test_a_sweep_without_an_answer_comes_again(shop: Shop) -> None:
    payee = await connected(shop)
    fund(shop)
    shop.lose("/v1/transfers", when="before")
    await payee.request()
    shop.forward(minutes=3)
    shop.lose("/v1/transfers*", when="before", method="GET")
    await sweep(shop)
    (row,) = await payout_rows(shop)
    assert (row.status, transfers(shop)) == ("pending", [])
    assert row.check_at > shop.api.clock()
    shop.forward(minutes=6)
    await sweep(shop)
    assert ((await payout_rows(shop))[0].status, len(transfers(shop))) == ("paid", 1)


async def test_what_the_provider_refuses_is_in_the_balance_again(shop: Shop) -> None:
    payee = await connected(shop)
    refused = (await payee.request())["payout"]
    assert (refused["status"], refused["failureCode"]) == ("FAILED", "balance_insufficient")
    assert refused["returned"] == {"amountCents": 5_000}
    books = await payee.books()
    assert [each["amountCents"] for each in list(books["balance"][0].values())[1:]] == [5_000, 0, 0, 5_000]
    assert (await payee.request())["payout"]["status"] == "FAILED"
    fund(shop)
    assert (await payee.request("again"))["payout"]["status"] == "PAID"
    assert (await payee.available(), len(transfers(shop))) == (0, 1)
    await assert_books_balance(shop.api.deps.database)


async def test_an_account_that_is_restricted_is_told_when_it_is_known(shop: Shop) -> None:
    payee = await connected(shop)
    fund(shop)
    account_id = await account_of(shop, payee)
    (await payee.request(cents=1_000))["payout"]["status"]
    shop.act(account_id, "restrict")
    refused = (await payee.request("k2", cents=1_000))["payout"]
    assert (refused["status"], refused["failureCode"]) == ("FAILED", "insufficient_capabilities_for_transfer")
    await sync(shop.api.deps.tools, Target(Kind.ACCOUNT, account_id))
    assert (await payee.request("k3"))["errors"][0]["state"] == "not ready"
    assert await payee.available() == 4_000


async def test_what_is_reversed_comes_back_part_by_part(shop: Shop) -> None:
    payee = await connected(shop)
    fund(shop)
    await payee.request()
    (sent,) = transfers(shop)
    reversals, target = shop.stand_in.client().v1.transfers.reversals, Target(Kind.TRANSFER, sent.id)
    for part, status, available in [(1_200, "paid", 1_200), (3_800, "reversed", 5_000)]:
        reversals.create(sent.id, {"amount": part})
        for _ in range(2):
            await sync(shop.api.deps.tools, target)
        assert ((await payout_rows(shop))[0].status, await payee.available()) == (status, available)
    assert (await payee.books())["balance"][0]["paidOut"] == {"amountCents": 0}
    await assert_books_balance(shop.api.deps.database)


async def test_a_transfer_that_does_not_fit_changes_nothing_and_is_told(shop: Shop) -> None:
    payee = await connected(shop)
    fund(shop)
    shop.lose("/v1/transfers", when="before")
    await payee.request()
    (row,) = await payout_rows(shop)
    given = {"amount": 4_999, "currency": "usd", "destination": row.destination}
    forged = shop.stand_in.client().v1.transfers.create({**given, "metadata": {"payout_id": str(row.id)}})
    stray = shop.stand_in.client().v1.transfers.create({**given, "metadata": {"payout_id": "x"}})
    for each in (forged, stray):
        await sync(shop.api.deps.tools, Target(Kind.TRANSFER, each.id))
    assert (await payout_rows(shop))[0].status == "pending"
    async with shop.api.deps.database.read() as connection:
        noted = select(func.count()).where(AuditEntry.action == "strange_transfer")
        assert (await connection.execute(noted)).scalar_one() == 1


async def test_money_that_went_after_all_is_taken_from_the_balance_again(shop: Shop) -> None:
    payee = await connected(shop)
    await payee.request()  # refused: there is no money yet
    (row,) = await payout_rows(shop)
    fund(shop)
    given = {"amount": 5_000, "currency": "usd", "destination": row.destination}
    sent = shop.stand_in.client().v1.transfers.create({**given, "metadata": {"payout_id": str(row.id)}})
    for reversed_ in (1_000, 1_500):
        shop.stand_in.client().v1.transfers.reversals.create(sent.id, {"amount": reversed_})
        for _ in range(2):
            await sync(shop.api.deps.tools, Target(Kind.TRANSFER, sent.id))
    (row,) = await payout_rows(shop)
    assert (row.status, row.returned_cents, row.failure_code) == ("paid", 2_500, None)
    assert await payee.available() == 2_500
    await assert_books_balance(shop.api.deps.database)


async def test_two_senders_make_one_transfer(shop: Shop) -> None:
    payee = await connected(shop)
    fund(shop)
    shop.lose("/v1/transfers", when="before")
    await payee.request()
    async with shop.api.deps.database.transaction() as connection:
        await connection.execute(update(Payout).values(check_at=shop.api.clock()))
    await asyncio.gather(sweep(shop), sweep(shop))
    assert ((await payout_rows(shop))[0].status, len(transfers(shop))) == ("paid", 1)


async def test_reconciliation_finds_what_nobody_told(shop: Shop) -> None:
    payee = await make_payee(shop)
    await payee.connect()
    await payee.earn(5_000)
    fund(shop)
    tools, since = shop.api.deps.tools, shop.api.clock() - timedelta(days=1)
    told = await reconciliation.run(tools, since=since, dry_run=False)
    assert (await payee.books())["payoutsEnabled"] is True
    await payee.request()
    (sent,) = transfers(shop)
    shop.stand_in.client().v1.transfers.reversals.create(sent.id, {"amount": 2_000})
    again = await reconciliation.run(tools, since=since, dry_run=False)
    assert [report.drifted() for report in (told, again)] == [
        {**dict.fromkeys(reconciliation.ORDER, 0), Kind.ACCOUNT: 1},
        {**dict.fromkeys(reconciliation.ORDER, 0), Kind.TRANSFER: 1},
    ]
    assert (again.failed, await payee.available()) == ({}, 2_000)


async def test_what_the_provider_is_asked_for_costs_so_many_statements_and_no_scan(shop: Shop) -> None:
    payee = await make_payee(shop)
    fund(shop)
    await payee.earn(5_000)
    numbers, statements = [], []
    for ask in (payee.connect, payee.connect, payee.request, payee.request):
        with counted(shop.api.deps.database) as seen, recorded(shop.api.deps.database) as read:
            await ask()
        numbers.append(len(seen))
        statements += read
    assert numbers == [12, 10, 23, 12]
    if shop.api.deps.database.dialect == "sqlite":
        await refuse_scans(shop.api.deps.database, statements)


async def test_without_a_provider_nothing_is_swept(api: Api) -> None:
    assert api.deps.provider is None
    await jobs.settle_payouts(api.deps)
