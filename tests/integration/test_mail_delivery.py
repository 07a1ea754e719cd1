"""Mails about money on their whole way: from the fact over the worker to a real SMTP server."""

from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import update

from app.context import Deps
from app.db.database import Database
from app.db.models import OutboxFact
from app.db.repositories import outbox
from app.domain.outbox import Topic
from app.gateways.mail import SmtpMailer
from app.worker import Worker
from tests.support.factories import NOW, make_invoice, make_package, make_purchase, make_user, make_version
from tests.support.outside import Clock, deps_of
from tests.support.servers.smtp import SmtpServer

SENDER = "Northwind <billing@northwind.test>"


@pytest.fixture
def deps(database: Database, smtp_server: SmtpServer) -> Deps:
    mailer = SmtpMailer(host=smtp_server.host, port=smtp_server.port, starttls=False, sender=SENDER)
    return replace(deps_of(database, clock=Clock()), mailer=mailer)


async def state(database: Database, topic: Topic, **payload: Any) -> Any:
    async with database.transaction() as connection:
        return await outbox.add(connection, topic, payload, now=NOW, key=f"{topic}:once")


async def work(deps: Deps) -> int:
    return await Worker(deps, chores={}).work_once()


def kinds(mail: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in mail.walk() if not part.is_multipart()]


async def test_a_receipt_arrives_in_both_forms_with_its_pdf(
    deps: Deps, database: Database, smtp_server: SmtpServer
) -> None:
    user = await make_user(database, username="ada")
    package = await make_package(database, name="A & B <Theme>", slug="theme", price_cents=2900)
    version = await make_version(database, package=package)
    bought = await make_purchase(
        database, user=user, package=package, version=version, receipt_number="RG-2026-000007"
    )
    fact_id = await state(database, Topic.PURCHASE_COMPLETED, purchase_id=str(bought.id))
    assert await work(deps) == 1
    (mail,) = smtp_server.to("ada@example.test")
    assert mail["Message-ID"] == f"<{fact_id}@northwind.test>"
    assert mail["From"] == SENDER
    assert mail["Subject"] == "Your receipt RG-2026-000007: A & B <Theme> 1.0.0"
    assert kinds(mail) == ["text/plain", "text/html", "application/pdf"]
    (paper,) = mail.iter_attachments()
    assert paper.get_filename() == "receipt-RG-2026-000007.pdf"
    assert paper.get_content().startswith(b"%PDF-")
    html = mail.get_body(("html",))
    assert html is not None
    assert "A &amp; B &lt;Theme&gt; (theme)" in html.get_content()


async def test_a_fact_that_is_stated_twice_is_mailed_once(
    deps: Deps, database: Database, smtp_server: SmtpServer
) -> None:
    invoice = await make_invoice(database, user=await make_user(database, username="ada"))
    assert await state(database, Topic.INVOICE_ISSUED, invoice_id=str(invoice.id)) is not None
    assert await state(database, Topic.INVOICE_ISSUED, invoice_id=str(invoice.id)) is None
    assert [await work(deps) for _ in range(3)] == [1, 0, 0]
    assert len(smtp_server.to("ada@example.test")) == 1


async def test_a_mail_that_is_refused_waits(deps: Deps, database: Database, smtp_server: SmtpServer) -> None:
    invoice = await make_invoice(database, user=await make_user(database, username="ada"))
    await state(database, Topic.INVOICE_ISSUED, invoice_id=str(invoice.id))
    smtp_server.refusal = "451 try later"
    await work(deps)
    assert smtp_server.messages == []
    smtp_server.refusal = ""
    deps.clock.forward(minutes=1)  # type: ignore[attr-defined]  # the tests' clock
    await work(deps)
    assert len(smtp_server.to("ada@example.test")) == 1


async def test_who_dies_after_the_servers_yes_sends_the_same_mail_again(
    deps: Deps, database: Database, smtp_server: SmtpServer
) -> None:
    """The only case of two: both have one Message-ID, by which programs and servers know the second."""
    invoice = await make_invoice(database, user=await make_user(database, username="ada"))
    await state(database, Topic.INVOICE_ISSUED, invoice_id=str(invoice.id))
    await work(deps)
    async with database.transaction() as connection:  # as a process leaves it that is killed before the mark
        await connection.execute(update(OutboxFact).values(state="waiting", available_at=NOW, done_at=None))
    await work(deps)
    first, second = smtp_server.to("ada@example.test")
    assert first["Message-ID"] == second["Message-ID"]
    papers = [next(iter(mail.iter_attachments())).get_content() for mail in (first, second)]
    assert papers[0] == papers[1]
