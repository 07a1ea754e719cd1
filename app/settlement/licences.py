"""Licences: the signed document of what was bought."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.repositories import licences
from app.ports import LicenceSigner


async def issue(
    connection: AsyncConnection,
    *,
    signer: LicenceSigner,
    goods: Row[Any],
    user_id: UUID,
    licensee: str,
    now: datetime,
) -> None:
    """``goods``: package, version and purchase; ``licensee`` is the buyer's name at this moment."""
    licence_id = new_id()
    document = signer.sign(
        {
            "licence": str(licence_id),
            "package": goods.slug,
            "package-name": _line(goods.name),
            "version": goods.version,
            "licensee": _line(licensee),
            "licensee-id": str(user_id),
            "terms": _line(goods.license),
            "purchase": str(goods.id),
            "issued-at": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
    )
    await licences.issue(
        connection,
        licence_id=licence_id,
        purchase_id=goods.id,
        user_id=user_id,
        document=document,
        now=now,
    )


def _line(text: str) -> str:
    """Names keep their words; whatever white space stood between or around them becomes one space."""
    return " ".join(text.split())
