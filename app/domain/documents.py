"""Links to documents: which one, for whom, until when. They are signed, so that nobody can make one up."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.domain.errors import InvalidToken

PURPOSE = "document"
LIFETIME = timedelta(hours=1)


class Document(StrEnum):
    INVOICE = "invoice"
    INVOICE_RECEIPT = "invoice-receipt"
    PURCHASE_RECEIPT = "purchase-receipt"


@dataclass(frozen=True)
class Link:
    """``of`` is the invoice or purchase; ``user_id`` who asked for the link, and may still see it then."""

    document: Document
    of: UUID
    user_id: UUID
    expires_at: datetime

    def written(self) -> str:
        parts = (self.document.value, self.of.hex, self.user_id.hex, int(self.expires_at.timestamp()))
        return ":".join(map(str, parts))


def read_link(text: str, *, now: datetime) -> Link:
    """Of a text whose signature was proved. Raises InvalidToken where its time is over."""
    document, of, user_id, expires = text.split(":")
    link = Link(Document(document), UUID(of), UUID(user_id), datetime.fromtimestamp(int(expires), UTC))
    if now >= link.expires_at:
        raise InvalidToken("This link has expired: ask for a new one.")
    return link
