"""Payouts as staff makes and sees them: by hand, with a reference, or not after all."""

import pytest

from app.domain.api_keys import Role
from app.domain.ledger import Account, PayoutStatus
from app.schema.node import global_id
from app.settlement.payouts import give_back
from tests.support.clients import sign_up_as
from tests.support.factories import make_author
from tests.support.ledger import assert_books_balance, balance_of, make_shelf
from tests.support.payments import Shop
from tests.support.payouts import (
    CANCEL,
    CREATE,
    MARK_PAID,
    REQUEST,
    connected,
    fund,
    make_admin,
    make_payee,
    payout_rows,
    transfers,
)


async def test_staff_pays_an_imported_author_by_hand(shop: Shop) -> None:
    admin, database = await make_admin(shop), shop.api.deps.database
    author = await make_author(database)
    shelf = await make_shelf(database, author=author)
    await shelf.sell(5_000, now=shop.api.clock() - shop.api.deps.commission.hold)
    asked = {"authorId": global_id("Author", author.id), "currency": "USD"}

    async def create(method: str, key: str, cents: int | None = None) -> dict:
        given = {**asked, "method": method, "idempotencyKey": key, "amountCents": cents}
        return dict((await admin.api(CREATE, input=given)).payload())

    assert (await create("TRANSFER", "t"))["errors"][0]["state"] == "not connected"
    first = await create("MANUAL", "a", 1_000)
    assert (first["payout"]["status"], first["payout"]["authorId"]) == ("PENDING", asked["authorId"])
    assert await create("MANUAL", "a", 1_000) == first
    assert (await create("MANUAL", "b", 3_001))["errors"][0]["code"] == "INSUFFICIENT_BALANCE"
    second = await create("MANUAL", "b")
    paid = {"payoutId": first["payout"]["id"], "reference": " SEPA 4711 ", "idempotencyKey": "p"}
    canceled = {"payoutId": second["payout"]["id"], "reason": "wrong account", "idempotencyKey": "c"}
    for _ in range(2):
        done = (await admin.api(MARK_PAID, input=paid)).payload()
        assert (done["errors"], done["payout"]["status"], done["payout"]["reference"]) == (
            [],
            "PAID",
            "SEPA 4711",
        )
        gone = (await admin.api(CANCEL, input=canceled)).payload()
        assert (gone["errors"], gone["payout"]["status"]) == ([], "CANCELED")
    for document, given in (
        (MARK_PAID, {**paid, "payoutId": canceled["payoutId"]}),
        (CANCEL, {**canceled, "payoutId": paid["payoutId"]}),
    ):
        again = (await admin.api(document, input={**given, "idempotencyKey": "z"})).payload()
        assert again["errors"][0]["code"] == "INVALID_STATE"
    for row in await payout_rows(shop):  # a refusal that comes late gives nothing back
        async with database.transaction() as connection:
            late = {"status": PayoutStatus.FAILED, "now": shop.api.clock()}
            assert await give_back(connection, row.id, **late) is False
    assert sorted(row.status for row in await payout_rows(shop)) == ["canceled", "paid"]
    assert await balance_of(database, Account.AUTHOR_PAYABLE) == -3_000
    assert transfers(shop) == []
    await assert_books_balance(database)


async def test_an_account_of_the_role_is_an_author_and_staff_hears_how_to_become_one(shop: Shop) -> None:
    author, admin = [await sign_up_as(shop.api, role) for role in (Role.AUTHOR, Role.ADMIN)]
    given = {"currency": "USD", "idempotencyKey": "k"}
    [error] = (await author.api(REQUEST, input=given)).payload()["errors"]
    assert (error["code"], error["state"]) == ("INVALID_STATE", "not connected")
    [error] = (await admin.api(REQUEST, input=given)).payload()["errors"]
    assert (error["code"], "becomeAuthor" in error["message"]) == ("NOT_FOUND", True)


@pytest.mark.parametrize("field", ["reference", "reason"])
async def test_a_payout_by_hand_says_where_it_is_found(shop: Shop, field: str) -> None:
    admin = await make_admin(shop)
    document = MARK_PAID if field == "reference" else CANCEL
    given = {
        "payoutId": global_id("Payout", (await make_author(shop.api.deps.database)).id),
        "idempotencyKey": "k",
    }
    for text, code in [
        (" ", "BAD_USER_INPUT"),
        ("x" * 256, "BAD_USER_INPUT"),
        ("a\x00b", "BAD_USER_INPUT"),
        ("good", "NOT_FOUND"),
    ]:
        answer = (await admin.api(document, input={**given, field: text})).payload()
        assert (answer["payout"], answer["errors"][0]["code"]) == (None, code)


async def test_a_transfer_is_not_canceled_by_hand(shop: Shop) -> None:
    payee, admin = await connected(shop), await make_admin(shop)
    shop.lose("/v1/transfers", when="after")
    fund(shop)
    made = (await payee.request())["payout"]
    given = {"payoutId": made["id"], "idempotencyKey": "k"}
    for document, text in ((CANCEL, {"reason": "x"}), (MARK_PAID, {"reference": "x"})):
        answer = (await admin.api(document, input={**given, **text})).payload()
        assert (answer["errors"][0]["code"], answer["errors"][0]["state"]) == ("INVALID_STATE", "a transfer")
    assert (await payout_rows(shop))[0].status == "pending"


async def test_staff_lists_payouts_and_others_see_their_own(shop: Shop) -> None:
    payee, admin, other = await connected(shop), await make_admin(shop), await make_payee(shop, name="stran")
    made = (await payee.request())["payout"]
    document = "query($s: PayoutStatus) { payouts(status: $s) { totalCount edges { node { id } } } }"
    for status, number in [(None, 1), ("FAILED", 1), ("PAID", 0)]:
        found = (await admin.api(document, s=status)).payload()
        assert (found["totalCount"], len(found["edges"])) == (number, number)
    assert (await payee.account.api(document)).code == "FORBIDDEN"
    one = "query($id: ID!) { node(id: $id) { ... on Payout { status } } }"
    assert (await payee.account.api(one, id=made["id"])).payload() == {"status": "FAILED"}
    assert (await admin.api(one, id=made["id"])).payload() == {"status": "FAILED"}
    assert (await other.account.api(one, id=made["id"])).payload() is None


async def test_staff_finds_whom_to_pay(shop: Shop) -> None:
    admin, database = await make_admin(shop), shop.api.deps.database
    free = shop.api.clock() - shop.api.deps.commission.hold
    names = []
    for cents, currency, now in [
        (1_250, "USD", free),
        (1_248, "USD", free),  # less than the least
        (5_000, "USD", shop.api.clock()),  # held
        (5_000, "EUR", free),
        (9_000, "USD", free),
    ]:
        shelf = await make_shelf(database)
        await shelf.sell(cents, currency=currency, now=now)
        names.append(shelf.author.username)
    document = """query($c: String!, $first: Int, $after: String) { payableAuthors(currency: $c, first: $first,
        after: $after) { totalCount pageInfo { endCursor } edges { node { username } } } }"""
    page = (await admin.api(document, c="USD", first=1)).payload()
    assert (page["totalCount"], page["edges"]) == (2, [{"node": {"username": names[0]}}])
    rest = (await admin.api(document, c="USD", after=page["pageInfo"]["endCursor"])).payload()
    assert rest["edges"] == [{"node": {"username": names[4]}}]
    assert (await admin.api(document, c="EUR")).payload()["edges"] == [{"node": {"username": names[3]}}]
    assert (await admin.api(document, c="nope")).code == "BAD_USER_INPUT"
