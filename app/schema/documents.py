"""Links to documents, made for the account that asks."""

from uuid import UUID

from app.context import Context
from app.domain.documents import Document
from app.services import documents


def document_url(context: Context, document: Document, of: UUID) -> str:
    return documents.url_of(
        document,
        of,
        user_id=context.me.user_id,
        tokens=context.deps.tokens,
        base_url=context.deps.base_url,
        now=context.now,
    )
