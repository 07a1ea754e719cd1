"""Mail as it leaves: over SMTP to a real server, or into a folder; never with a header of somebody else's."""

from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from app.domain.seller import Seller
from app.gateways.mail import DevelopmentMailer, SmtpMailer, as_email
from app.gateways.mail_texts import render
from app.ports import Attachment, MailError, Message
from tests.support.servers.shared import free_port
from tests.support.servers.smtp import SmtpServer

SENDER = "revgraph <no-reply@shop.test>"
TEXT = "Grüße,\n\n.\nFrom here on\n" + "x" * 1200 + "\n"


def smtp(server: SmtpServer, **given: object) -> SmtpMailer:
    options = {"host": server.host, "port": server.port, "starttls": False, "sender": SENDER, **given}
    return SmtpMailer(**options)  # type: ignore[arg-type]  # a test's options are not typed


def message(**given: str) -> Message:
    values = {"key": "fact-1", "to": "ada@example.test", "subject": "Ein Grüß Gott", "text": TEXT}
    return Message(**{**values, **given})


async def test_a_mail_arrives_as_it_was_written(smtp_server: SmtpServer) -> None:
    await smtp(smtp_server).send(message())
    (arrived,) = smtp_server.to("ada@example.test")
    assert arrived.get_content().replace("\r\n", "\n") == TEXT
    assert arrived["Subject"] == "Ein Grüß Gott"
    assert arrived["From"] == SENDER
    assert arrived["Message-ID"] == "<fact-1@shop.test>"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived.get_content_type() == "text/plain"
    assert arrived["X-Envelope-From"] == "no-reply@shop.test"
    assert smtp_server.logins == []


HTML = "<!doctype html><title>Grüße</title><p>Guten Tag &amp; danke</p>" + "x" * 1200


async def test_a_mail_in_both_forms_with_a_file(smtp_server: SmtpServer) -> None:
    pdf = Attachment("receipt RG-1 – Grüße.pdf", "application/pdf", bytes(range(256)) * 20)
    given = message()
    await smtp(smtp_server).send(replace(given, html=HTML, attachments=(pdf,)))
    (arrived,) = smtp_server.to("ada@example.test")
    assert [part.get_content_type() for part in arrived.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/pdf",
    ]
    text, html = arrived.get_body(("plain",)), arrived.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == TEXT
    assert html.get_content().replace("\r\n", "\n").rstrip("\n") == HTML
    (attached,) = arrived.iter_attachments()
    assert attached.get_filename() == "receipt RG-1 – Grüße.pdf"
    assert attached.get_content() == pdf.content
    assert arrived["Message-ID"] == "<fact-1@shop.test>"


async def test_an_ascii_mail_arrives_as_it_was_written(smtp_server: SmtpServer) -> None:
    text = f"{'x' * 998}\n.\n..\nFrom me\n"
    await smtp(smtp_server).send(message(text=text))
    (arrived,) = smtp_server.messages
    assert arrived["Content-Transfer-Encoding"] == "7bit"
    assert arrived.get_content().replace("\r\n", "\n") == text


async def test_it_signs_in_where_that_is_asked_for(smtp_server: SmtpServer) -> None:
    await smtp(smtp_server, username="mailer", password="s3cret").send(message())
    assert smtp_server.logins == [("mailer", "s3cret")]
    assert len(smtp_server.messages) == 1


async def test_a_refusal_is_a_mail_error(smtp_server: SmtpServer) -> None:
    smtp_server.refusal = "451 try later"
    with pytest.raises(MailError, match="451"):
        await smtp(smtp_server).send(message())
    assert smtp_server.messages == []


async def test_without_tls_nothing_is_sent_where_tls_is_demanded(smtp_server: SmtpServer) -> None:
    with pytest.raises(MailError):
        await smtp(smtp_server, starttls=True).send(message())
    assert smtp_server.messages == []


async def test_an_absent_server_is_a_mail_error() -> None:
    mailer = SmtpMailer(host="127.0.0.1", port=free_port(), starttls=False, sender=SENDER)
    with pytest.raises(MailError, match=r"127\.0\.0\.1"):
        await mailer.send(message())


@pytest.mark.parametrize(
    "given",
    [
        {"subject": "hi\r\nBcc: eve@example.test"},
        {"subject": "hi\nBcc: eve@example.test"},
        {"to": "ada@example.test\r\nBcc: eve@example.test"},
        {"to": "ada@example.test, eve@example.test"},
        {"to": "ada@example.test> SIZE=1"},
        {"to": ""},
        {"key": "k\r\nBcc: eve@example.test"},
    ],
)
async def test_no_header_can_be_smuggled_in(
    smtp_server: SmtpServer, tmp_path: Path, given: dict[str, str]
) -> None:
    with pytest.raises(MailError):
        await smtp(smtp_server).send(message(**given))
    with pytest.raises(MailError):
        await DevelopmentMailer(tmp_path, sender=SENDER).send(message(**given))
    assert smtp_server.messages == []
    assert files_in(tmp_path) == []


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_development_prints_the_mail_and_keeps_it(tmp_path: Path) -> None:
    key, folder = str(uuid4()), tmp_path / "var" / "mail"
    with capture_logs() as logs:
        await DevelopmentMailer(folder, sender=SENDER).send(message(key=key))
    (line,) = logs
    assert (line["event"], line["to"], line["text"]) == ("mail", "ada@example.test", TEXT)
    kept = message_from_bytes((folder / f"{key}.eml").read_bytes(), policy=policy.default)
    assert (kept["To"], kept["Subject"]) == ("ada@example.test", "Ein Grüß Gott")
    assert kept.get_content().replace("\r\n", "\n") == TEXT  # type: ignore[attr-defined]  # EmailMessage


async def test_a_kept_link_can_be_copied_from_the_file(tmp_path: Path) -> None:
    text = f"    https://shop.test/verify-email?token={'k' * 43}\n\n.\n{'x' * 998}\n"
    await DevelopmentMailer(tmp_path, sender=SENDER).send(message(text=text))
    assert text.encode().replace(b"\n", b"\r\n") in (tmp_path / "fact-1.eml").read_bytes()


async def test_a_folder_that_cannot_be_written_is_a_mail_error(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file")
    with pytest.raises(MailError):
        await DevelopmentMailer(tmp_path / "mail", sender=SENDER).send(message())


def test_a_subject_is_one_line_whatever_the_facts_hold() -> None:
    facts = {"username": "ada", "number": "R-1", "completed_at": "today", "slug": "s", "price": "free"}
    facts |= {"attached": False, "seller": Seller(), "base_url": "https://shop.test"}
    hostile = "Theme\r\nBcc: eve@example.test\u2028X"
    letter = render("receipt", package=hostile, version="1", document=None, **facts)
    subject, text = letter.subject, letter.text
    assert subject == "Your receipt R-1: Theme Bcc: eve@example.test X 1"
    assert as_email(message(subject=subject, text=text), sender=SENDER)["Bcc"] is None


async def test_a_discreet_mailer_keeps_the_text_out_of_the_log(tmp_path: Path) -> None:
    mailer = DevelopmentMailer(tmp_path, sender="revgraph <no-reply@revgraph.example>", discreet=True)
    message = Message(key="k", to="ada@example.test", subject="Reset", text="token=secret-of-ada")
    with capture_logs() as logs:
        await mailer.send(message)
    assert "secret-of-ada" not in repr(logs)
    assert "secret-of-ada" in (tmp_path / "k.eml").read_text()
