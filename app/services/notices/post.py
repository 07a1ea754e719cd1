"""What sending a notice needs of the process, and how its words are put."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db.database import Database
from app.domain.money import Money, format_money
from app.domain.plans import Plan, Tier
from app.domain.seller import Seller
from app.gateways.mail_texts import render
from app.ports import Attachment, Mailer, Message


@dataclass(frozen=True)
class Post:
    database: Database
    mailer: Mailer
    seller: Seller
    plans: Mapping[Tier, Plan]
    base_url: str

    async def send(
        self, template: str, *, key: str, to: str, attachments: Sequence[Attachment] = (), **facts: Any
    ) -> None:
        """Raises MailError."""
        letter = render(template, seller=self.seller, base_url=self.base_url, **facts)
        await self.mailer.send(Message(key, to, letter.subject, letter.text, letter.html, tuple(attachments)))


def spelt(moment: datetime) -> str:
    return f"{moment:%d %B %Y, %H:%M} UTC"


def day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def amount(cents: int, currency: str) -> str:
    return format_money(Money(cents, currency))
