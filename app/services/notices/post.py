"""What sending a notice needs of the process, and how its words are put."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db.database import Database
from app.domain.money import Money, format_money
from app.domain.papers import Paper
from app.domain.plans import Plan, Tier
from app.domain.seller import Seller
from app.gateways.mail_texts import render
from app.ports import Attachment, Mailer, Message, Printer


@dataclass(frozen=True)
class Post:
    database: Database
    mailer: Mailer
    printer: Printer
    seller: Seller
    plans: Mapping[Tier, Plan]
    base_url: str

    async def send(
        self, template: str, *, key: str, to: str, attachments: Sequence[Attachment] = (), **facts: Any
    ) -> None:
        """Raises MailError."""
        letter = render(template, seller=self.seller, base_url=self.base_url, **facts)
        await self.mailer.send(Message(key, to, letter.subject, letter.text, letter.html, tuple(attachments)))

    async def printed(self, paper: Paper) -> Attachment:
        """Raises PrintingError: the mail waits until it can go with its paper."""
        return Attachment(f"{paper.filename}.pdf", "application/pdf", await self.printer.pdf(paper))


def spelt(moment: datetime) -> str:
    return f"{moment:%d %B %Y, %H:%M} UTC"


def amount(cents: int, currency: str) -> str:
    return format_money(Money(cents, currency))
