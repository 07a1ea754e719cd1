"""What authors are mailed about their payouts: made, refused, come back; each once."""

from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from sqlalchemy import update

from app.db.models import User
from app.domain.settlement import Kind, Target
from app.schema.node import global_id
from app.settlement.syncing import sync
from app.worker import Worker
from tests.support.factories import make_author
from tests.support.ledger import make_shelf
from tests.support.payments import Shop
from tests.support.payouts import (
    CANCEL,
    CREATE,
    MARK_PAID,
    connected,
    fund,
    make_admin,
    make_payee,
    payout_rows,
    sweep,
    transfers,
)


async def heard(shop: Shop) -> list[Any]:
    """The mails so far, but those that confirm an address, after the worker did what there was to do."""
    while await Worker(shop.api.deps, chores={}).work_once():
        pass
    folder: Path = shop.api.deps.mailer._folder  # type: ignore[attr-defined]  # the one for developing
    return [mail for mail in kept(folder) if not mail["Subject"].startswith("Confirm")]


def kept(folder: Path) -> list[Any]:
    paths = sorted(folder.glob("*"))
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]


def read(mail: Any, form: str = "plain") -> str:
    return str(mail.get_body((form,)).get_content()).replace("\r\n", "\n")


async def test_a_transfer_that_was_made_is_told_once(shop: Shop) -> None:
    payee = await connected(shop)
    fund(shop)
    shop.lose("/v1/transfers", when="after")
    assert (await payee.request())["payout"]["status"] == "PENDING"
    assert await heard(shop) == []
    shop.forward(minutes=3)
    await sweep(shop)
    (sent,) = transfers(shop)
    await sync(shop.api.deps.tools, Target(Kind.TRANSFER, sent.id))
    assert (await payee.request())["payout"]["status"] == "PAID"
    (mail,) = await heard(shop)
    assert (mail["To"], mail["Subject"]) == (payee.account.email, "$50.00 of your sales is paid out")
    assert "paid out $50.00 of your sales to your account at Stripe, which passes it on" in read(mail)
    assert "    Payout     $50.00\n    Date       " in read(mail)
    assert "Reference" not in read(mail) + read(mail, "html")
    assert "<b>$50.00</b> of your sales to your account at Stripe" in read(mail, "html")


async def test_a_refusal_is_told_with_its_reason_and_a_later_payout_too(shop: Shop) -> None:
    payee = await connected(shop)
    for _ in range(2):
        assert (await payee.request())["payout"]["status"] == "FAILED"
    (mail,) = await heard(shop)
    assert (mail["To"], mail["Subject"]) == (payee.account.email, "Your payout of $50.00 failed")
    assert "Stripe refused the transfer. The money is in your balance again." in read(mail)
    assert "    Reason     balance_insufficient\n" in read(mail)
    assert "<bdi>balance_insufficient</bdi>" in read(mail, "html")
    fund(shop)
    assert (await payee.request("again"))["payout"]["status"] == "PAID"
    assert [mail["Subject"] for mail in await heard(shop)][1:] == ["$50.00 of your sales is paid out"]


async def test_what_came_back_is_told_when_it_is_all_of_it(shop: Shop) -> None:
    payee = await connected(shop)
    fund(shop)
    await payee.request()
    (sent,) = transfers(shop)
    for part, number in [(1_200, 1), (3_800, 2)]:
        shop.stand_in.client().v1.transfers.reversals.create(sent.id, {"amount": part})
        for _ in range(2):
            await sync(shop.api.deps.tools, Target(Kind.TRANSFER, sent.id))
        assert len(await heard(shop)) == number
    last = (await heard(shop))[-1]
    assert last["Subject"] == "Your payout of $50.00 came back"
    assert "the $50.00 that we paid out to you came back to us. It is in your balance again." in read(last)
    assert "Reason" not in read(last) + read(last, "html")


async def test_what_was_refused_and_went_after_all_is_told_as_it_is(shop: Shop) -> None:
    payee = await connected(shop)
    made = await payee.request()
    fund(shop)
    (row,) = await payout_rows(shop)
    given = {"amount": 5_000, "currency": "usd", "destination": row.destination}
    sent = shop.stand_in.client().v1.transfers.create({**given, "metadata": {"payout_id": str(row.id)}})
    await sync(shop.api.deps.tools, Target(Kind.TRANSFER, sent.id))
    assert made["payout"]["status"] == "FAILED"
    assert [mail["Subject"] for mail in await heard(shop)] == ["$50.00 of your sales is paid out"]


async def test_one_by_hand_is_told_with_its_reference_and_a_canceled_one_not(shop: Shop) -> None:
    admin, payee = await make_admin(shop), await make_payee(shop)
    await payee.earn(5_000)
    asked = {"authorId": payee.author_id, "currency": "USD", "method": "MANUAL", "amountCents": 2_000}
    ids = []
    for key in ("a", "b"):
        made = (await admin.api(CREATE, input={**asked, "idempotencyKey": key})).payload()
        ids.append(made["payout"]["id"])
    assert await heard(shop) == []
    paid = {"payoutId": ids[0], "reference": "SEPA <4711>", "idempotencyKey": "p"}
    for _ in range(2):
        assert (await admin.api(MARK_PAID, input=paid)).payload()["errors"] == []
    given = {"payoutId": ids[1], "reason": "wrong account", "idempotencyKey": "c"}
    assert (await admin.api(CANCEL, input=given)).payload()["errors"] == []
    (mail,) = await heard(shop)
    assert (mail["To"], mail["Subject"]) == (payee.account.email, "$20.00 of your sales is paid out")
    assert "we have paid out $20.00 of your sales.\n" in read(mail)
    assert "    Reference  SEPA <4711>\n" in read(mail)
    assert "<bdi>SEPA &lt;4711&gt;</bdi>" in read(mail, "html")


async def test_who_has_no_account_any_more_or_never_had_hears_nothing(shop: Shop) -> None:
    admin, payee, database = await make_admin(shop), await make_payee(shop), shop.api.deps.database
    await payee.earn(5_000)
    imported = await make_author(database)
    shelf = await make_shelf(database, author=imported)
    await shelf.sell(5_000, now=shop.api.clock() - shop.api.deps.commission.hold)
    for number, author_id in enumerate([payee.author_id, global_id("Author", imported.id)]):
        asked = {"authorId": author_id, "currency": "USD", "method": "MANUAL", "idempotencyKey": f"k{number}"}
        made = (await admin.api(CREATE, input=asked)).payload()["payout"]
        given = {"payoutId": made["id"], "reference": "SEPA", "idempotencyKey": f"p{number}"}
        assert (await admin.api(MARK_PAID, input=given)).payload()["payout"]["status"] == "PAID"
    async with database.transaction() as connection:
        ended = update(User).where(User.email == payee.account.email)
        await connection.execute(ended.values(deleted_at=shop.api.clock(), password_hash=""))
    assert await heard(shop) == []
