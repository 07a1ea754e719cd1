"""The mails about money: what they say, in both forms, and when nothing is said any more."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, update

from app.db.database import Database
from app.db.ids import new_id
from app.db.models import Invoice, Payment, Refund, Subscription, User
from app.db.repositories import outbox
from app.domain.outbox import Topic
from app.ports import Message
from app.worker import Worker
from tests.support.factories import NOW, make_invoice, make_package, make_purchase, make_user, make_version
from tests.support.outside import Clock, KeptMail, deps_of

HOSTILE = '<script>alert("x")</script> & {{ 7 * 7 }}'


class Post:
    """An account, and the mails that facts about it bring."""

    def __init__(self, database: Database, user: SimpleNamespace) -> None:
        self.database, self.user, self.mailer = database, user, KeptMail()
        self.deps = deps_of(database, clock=Clock(), mailer=self.mailer)

    async def after(self, topic: Topic, **payload: Any) -> Message:
        """The only mail that the fact brings."""
        (message,) = await self.all_after(topic, **payload)
        return message

    async def all_after(self, topic: Topic, **payload: Any) -> list[Message]:
        self.mailer.messages.clear()
        async with self.database.transaction() as connection:
            await outbox.add(connection, topic, payload, now=NOW)
        await Worker(self.deps, chores={}).work_once()
        return self.mailer.messages

    async def add(self, model: Any, **values: Any) -> UUID:
        made = new_id()
        async with self.database.transaction() as connection:
            await connection.execute(insert(model).values(id=made, **values))
        return made

    async def change(self, model: Any, row_id: UUID, **values: Any) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(update(model).where(model.id == row_id).values(**values))

    async def invoice(self, lines: list[str], **given: Any) -> UUID:
        made = await make_invoice(self.database, user=self.user, lines=lines, number="ACME-0007", **given)
        return UUID(str(made.id))

    async def subscription(self, **given: Any) -> UUID:
        values = {
            "user_id": self.user.id,
            "tier": "pro",
            "status": "active",
            "anchor_at": NOW,
            "current_period_start": NOW,
            "current_period_end": NOW + timedelta(days=31),
            "cancel_at_period_end": False,
            "price_cents": 2900,
            "currency": "USD",
            "created_at": NOW,
            "updated_at": NOW,
            **given,
        }
        return await self.add(Subscription, **values)


@pytest.fixture
async def post(database: Database) -> Post:
    return Post(database, await make_user(database, username="ada", subscribed=False))


async def test_an_invoice_is_told_with_what_is_due_and_where_to_pay(post: Post) -> None:
    invoice_id = await post.invoice([HOSTILE, "Training"], description="Order 7\nby Ada")
    message = await post.after(Topic.INVOICE_ISSUED, invoice_id=str(invoice_id))
    assert (message.to, message.subject) == ("ada@example.test", "Invoice ACME-0007 over $34.51")
    assert message.text == (
        "Hello ada,\n\nhere is your invoice; it is attached as a PDF, too.\n\n"
        "    Invoice    ACME-0007\n    Date       15 January 2026\n    Amount     $34.51\n"
        f"    Due        29 January 2026\n    For        {HOSTILE}\n               Training\n\n"
        "Order 7\nby Ada\n\nPay here:\n\n    https://pay.test/in_1\n"
    )
    assert message.html is not None
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; {{ 7 * 7 }}" in message.html
    assert "<script>" not in message.html
    assert '<bdi style="white-space:pre-line">Order 7\nby Ada</bdi>' in message.html
    assert 'href="https://pay.test/in_1"' in message.html
    (paper,) = message.attachments
    assert (paper.filename, paper.media_type) == ("invoice-ACME-0007.pdf", "application/pdf")
    assert paper.content.startswith(b"%PDF-")


async def test_long_invoices_are_cut_in_the_mail(post: Post) -> None:
    invoice_id = await post.invoice([f"Day {number}" for number in range(12)])
    message = await post.after(Topic.INVOICE_ISSUED, invoice_id=str(invoice_id))
    assert "Day 9\n               and 2 more\n" in message.text
    assert "Day 10" not in message.text + str(message.html)


async def test_an_overdue_invoice_is_asked_for_with_what_is_left_of_it(post: Post) -> None:
    invoice_id = await post.invoice([HOSTILE], amount_paid_cents=1451)
    message = await post.after(Topic.INVOICE_OVERDUE, invoice_id=str(invoice_id))
    assert message.subject == "Reminder: invoice ACME-0007 over $20.00 is overdue"
    assert "invoice ACME-0007 was due on 29 January 2026, and $20.00 of it is still open." in message.text
    assert f"    Due        29 January 2026\n    For        {HOSTILE}\n\nPay here:\n" in message.text
    assert "https://pay.test/in_1" in message.text
    assert "was due on <b>29 January 2026</b>" in str(message.html)
    assert "<script>" not in str(message.html)
    assert [each.filename for each in message.attachments] == ["invoice-ACME-0007.pdf"]


ASKING = [Topic.INVOICE_ISSUED, Topic.INVOICE_OVERDUE, Topic.INVOICE_PAYMENT_FAILED]


@pytest.mark.parametrize("topic", ASKING)
@pytest.mark.parametrize("status", ["draft", "paid", "void", "uncollectible"])
async def test_what_is_settled_is_not_asked_for(post: Post, topic: Topic, status: str) -> None:
    invoice_id = await post.invoice([], status=status)
    assert await post.all_after(topic, invoice_id=str(invoice_id), attempt=1) == []


async def test_a_paid_invoice_is_receipted(post: Post) -> None:
    paid = {"status": "paid", "amount_paid_cents": 3451, "paid_at": NOW, "receipt_number": "RG-2026-000003"}
    invoice_id = await post.invoice(["Plan Pro"], **paid)
    message = await post.after(Topic.INVOICE_PAID, invoice_id=str(invoice_id))
    assert message.subject == "Your receipt RG-2026-000003: $34.51"
    assert (
        "    Receipt    RG-2026-000003\n    Invoice    ACME-0007\n    Date       15 January 2026\n"
        "    Paid       $34.51\n    For        Plan Pro\n" in message.text
    )
    assert [each.filename for each in message.attachments] == ["receipt-RG-2026-000003.pdf"]
    await post.change(Invoice, invoice_id, status="open")
    assert await post.all_after(Topic.INVOICE_PAID, invoice_id=str(invoice_id)) == []


async def test_each_step_of_dunning_says_what_comes_next(post: Post) -> None:
    invoice_id = await post.invoice(["Plan Pro"], next_attempt_at=NOW + timedelta(days=5))
    step = await post.after(Topic.INVOICE_PAYMENT_FAILED, invoice_id=str(invoice_id), attempt=2)
    assert step.subject == "Your payment of $34.51 failed"
    assert "for invoice ACME-0007 (attempt 2).\n\nWe try again on 20 January 2026." in step.text
    assert "https://pay.test/in_1" in step.text
    await post.change(Invoice, invoice_id, next_attempt_at=None)
    last = await post.after(Topic.INVOICE_PAYMENT_FAILED, invoice_id=str(invoice_id), attempt=5)
    assert last.subject == "Last notice: your payment of $34.51 failed"
    for form in (last.text, str(last.html)):
        assert "That was the last attempt. Your plan ends with it" in form
        assert "subscribe anew" in form
        assert "https://pay.test/in_1" not in form, "nobody pays for what does not come back by it"
    kept = await post.subscription(status="unpaid", ended_at=NOW)
    await post.change(Invoice, invoice_id, subscription_id=kept)
    last = await post.after(Topic.INVOICE_PAYMENT_FAILED, invoice_id=str(invoice_id), attempt=5)
    for form in (last.text, str(last.html)):
        assert (
            "That was the last attempt. Until the invoice is paid, your account is on the free plan" in form
        )
        assert "https://pay.test/in_1" in form


async def test_a_trial_that_ends_is_told_while_it_lasts(post: Post) -> None:
    ends = NOW + timedelta(days=3)
    trial = await post.subscription(status="trialing", trial_end=ends)
    message = await post.after(Topic.TRIAL_ENDING, subscription_id=str(trial))
    assert message.subject == "Your trial of Pro ends on 18 January 2026"
    assert "From then on it costs $29.00 a month, collected from your default" in message.text
    await post.change(Subscription, trial, cancel_at_period_end=True)
    cancelled = await post.after(Topic.TRIAL_ENDING, subscription_id=str(trial))
    assert "You have cancelled: nothing is collected" in cancelled.text
    assert "$29.00" not in cancelled.text + str(cancelled.html)
    await post.change(Subscription, trial, status="active")
    assert await post.all_after(Topic.TRIAL_ENDING, subscription_id=str(trial)) == []


async def test_a_change_of_plan_is_told_as_it_stands(post: Post) -> None:
    found = str(plan := await post.subscription(billing_interval="year", price_cents=29_000))
    now = await post.after(Topic.SUBSCRIPTION_CHANGED, subscription_id=found)
    assert now.subject == "Your plan is Pro now"
    assert "    Plan       Pro\n    Price      $290.00 a year\n" in now.text
    await post.change(Subscription, plan, scheduled_tier="free")
    later = await post.after(Topic.SUBSCRIPTION_CHANGED, subscription_id=found)
    assert later.subject == "Your plan changes to Free on 15 February 2026"
    await post.change(Subscription, plan, scheduled_tier="pro", scheduled_interval="month")
    oftener = await post.after(Topic.SUBSCRIPTION_CHANGED, subscription_id=found)
    assert oftener.subject == "Your plan changes to Pro by the month on 15 February 2026"
    await post.change(Subscription, plan, cancel_at_period_end=True)
    ending = await post.after(Topic.SUBSCRIPTION_CHANGED, subscription_id=found)
    assert ending.subject == "Your plan Pro ends on 15 February 2026"
    assert "    Ends       15 February 2026\n" in ending.text
    await post.change(Subscription, plan, status="canceled", ended_at=NOW)
    assert await post.all_after(Topic.SUBSCRIPTION_CHANGED, subscription_id=found) == []
    ended = await post.after(Topic.SUBSCRIPTION_ENDED, subscription_id=found)
    assert ended.subject == "Your plan Pro has ended"


async def refund(post: Post, *, amount: int, refunded: int, receipt: str | None = "RG-2026-000009") -> UUID:
    package = await make_package(post.database, name="A <Theme>", price_cents=2900)
    version = await make_version(post.database, package=package)
    bought = await make_purchase(
        post.database, user=post.user, package=package, version=version, receipt_number=receipt
    )
    given = {"currency": "USD", "created_at": NOW, "updated_at": NOW}
    payment = await post.add(
        Payment,
        user_id=post.user.id,
        purchase_id=bought.id,
        status="succeeded",
        amount_cents=2900,
        refunded_cents=refunded,
        attempt=1,
        **given,
    )
    return await post.add(
        Refund, payment_id=payment, status="succeeded", amount_cents=amount, reason="because", **given
    )


async def test_a_refund_says_how_much_of_what(post: Post) -> None:
    whole = await refund(post, amount=2900, refunded=2900)
    message = await post.after(Topic.REFUND_ISSUED, refund_id=str(whole))
    assert message.subject == "$29.00 is on its way back to you"
    assert "we have refunded $29.00 for A <Theme>." in message.text
    assert "    Receipt    RG-2026-000009\n\nThe licence that came with it has ended.\n" in message.text
    assert "<bdi>A &lt;Theme&gt;</bdi>" in str(message.html)
    await post.change(Refund, whole, status="failed")
    assert await post.all_after(Topic.REFUND_ISSUED, refund_id=str(whole)) == []


async def test_a_part_of_it_leaves_the_licence(post: Post) -> None:
    part = await refund(post, amount=900, refunded=900)
    message = await post.after(Topic.REFUND_ISSUED, refund_id=str(part))
    assert "we have refunded $9.00 of the $29.00 that you paid for A <Theme>." in message.text
    assert "licence" not in message.text + str(message.html)


async def test_what_was_never_sold_had_no_licence(post: Post) -> None:
    whole = await refund(post, amount=2900, refunded=2900, receipt=None)
    message = await post.after(Topic.REFUND_ISSUED, refund_id=str(whole))
    assert "licence" not in message.text + str(message.html)


async def test_a_deleted_account_hears_nothing(post: Post) -> None:
    invoice, plan = await post.invoice([]), await post.subscription(ended_at=NOW, status="canceled")
    back = await refund(post, amount=900, refunded=900)
    await post.change(User, post.user.id, deleted_at=NOW, password_hash="")
    for topic in Topic:
        if topic.startswith(("invoice.", "subscription.", "refund.")):
            ids = {"invoice_id": str(invoice), "subscription_id": str(plan), "refund_id": str(back)}
            assert await post.all_after(topic, attempt=1, **ids) == []


async def test_of_facts_with_one_key_there_is_one(post: Post) -> None:
    async with post.database.transaction() as connection:
        given = {"now": NOW, "key": "invoice.paid:1"}
        first = await outbox.add(connection, Topic.INVOICE_PAID, {"invoice_id": str(new_id())}, **given)
        again = await outbox.add(connection, Topic.INVOICE_PAID, {"invoice_id": str(new_id())}, **given)
    assert first is not None
    assert again is None
