"""Notices: the mails that follow from facts, sent after the commit that stated them.

``key`` becomes the Message-ID. A mail that is sent again after a doubtful outcome keeps it, so that mail
programs show it once; one with a link has a new link each time, and therefore an id of its own.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import Row

from app.db.database import Database
from app.db.repositories import accounts, receipts, sessions
from app.domain.accounts import LinkPurpose
from app.domain.money import Money, format_money
from app.domain.plans import Resource
from app.gateways.mail_texts import render
from app.ports import Mailer, Message, Tokens

UNITS = {
    Resource.API_CALL: "API calls",
    Resource.TEMPLATE_INSTALL: "templates",
    Resource.CONCURRENT_INSTALLATION: "installations at a time",
    Resource.STORAGE_BYTES: "bytes of storage",
}


async def confirm_address(
    *,
    database: Database,
    tokens: Tokens,
    mailer: Mailer,
    base_url: str,
    user_id: UUID,
    key: str,
    now: datetime,
) -> None:
    """Mails a link that proves the address, unless it is proved already. Raises MailError."""
    user = await _user(database, user_id)
    if user is None or user.email_verified_at is not None:
        return
    token = await _new_link(database, tokens, user, LinkPurpose.VERIFY_EMAIL, now=now)
    await _mail_link(mailer, user, LinkPurpose.VERIFY_EMAIL, token, base_url=base_url, key=key, now=now)


async def reset_password(
    *,
    database: Database,
    tokens: Tokens,
    mailer: Mailer,
    base_url: str,
    user_id: UUID,
    key: str,
    now: datetime,
) -> None:
    """Mails a link that sets a new password. Raises MailError."""
    user = await _user(database, user_id)
    if user is None:
        return
    token = await _new_link(database, tokens, user, LinkPurpose.RESET_PASSWORD, now=now)
    await _mail_link(mailer, user, LinkPurpose.RESET_PASSWORD, token, base_url=base_url, key=key, now=now)


async def _user(database: Database, user_id: UUID) -> Row[Any] | None:
    async with database.read() as connection:
        return await accounts.by_id(connection, user_id)


async def _new_link(
    database: Database, tokens: Tokens, user: Row[Any], purpose: LinkPurpose, *, now: datetime
) -> str:
    """Made at the last moment: the token itself is in the mail and nowhere else."""
    token = tokens.new_secret()
    async with database.transaction() as connection:
        await sessions.add_link(
            connection,
            user_id=user.id,
            purpose=purpose,
            email=user.email,
            token_hash=tokens.digest(token),
            now=now,
        )
    return token


async def _mail_link(
    mailer: Mailer,
    user: Row[Any],
    purpose: LinkPurpose,
    token: str,
    *,
    base_url: str,
    key: str,
    now: datetime,
) -> None:
    path = purpose.value.replace("_", "-")
    subject, text = render(
        purpose.value,
        username=user.username,
        email=user.email,
        link=f"{base_url}/{path}?{urlencode({'token': token})}",
        token=token,
        base_url=base_url,
        expires_at=_spelt(now + purpose.lifetime),
    )
    await mailer.send(Message(key, user.email, subject, text))


async def password_changed(
    *, database: Database, mailer: Mailer, base_url: str, user_id: UUID, changed_at: datetime, key: str
) -> None:
    """Tells the owner, who may not be the one who did it. Raises MailError."""
    user = await _user(database, user_id)
    if user is None:
        return
    subject, text = render(
        "password_changed",
        username=user.username,
        email=user.email,
        changed_at=_spelt(changed_at),
        base_url=base_url,
    )
    await mailer.send(Message(key, user.email, subject, text))


async def email_changed(
    *, mailer: Mailer, base_url: str, username: str, email: str, changed_at: datetime, key: str
) -> None:
    """Tells the address that was: its owner may not be the one who changed it. Raises MailError."""
    subject, text = render(
        "email_changed", username=username, changed_at=_spelt(changed_at), base_url=base_url
    )
    await mailer.send(Message(key, email, subject, text))


async def quota(
    *,
    database: Database,
    mailer: Mailer,
    base_url: str,
    user_id: UUID,
    resource: Resource,
    used: int,
    limit: int,
    percent: int,
    resets_at: datetime | None,
    key: str,
) -> None:
    """Tells that 80 % or 100 % of a limit are used. Raises MailError."""
    user = await _user(database, user_id)
    if user is None:
        return
    subject, text = render(
        "quota",
        username=user.username,
        what=UNITS[resource],
        used=used,
        limit=limit,
        percent=percent,
        resets_at=_spelt(resets_at) if resets_at else None,
        base_url=base_url,
    )
    await mailer.send(Message(key, user.email, subject, text))


async def receipt(*, database: Database, mailer: Mailer, purchase_id: UUID, key: str) -> None:
    """Mails the receipt with the licence. Raises MailError."""
    async with database.read() as connection:
        purchase = await receipts.of_purchase(connection, purchase_id)
    if purchase is None:
        return
    price = Money(purchase.amount_cents, purchase.currency)
    subject, text = render(
        "receipt",
        username=purchase.username,
        number=purchase.receipt_number,
        completed_at=_spelt(purchase.completed_at),
        package=purchase.package,
        slug=purchase.slug,
        version=purchase.version,
        price=format_money(price) if price.amount_cents else "free",
        document=purchase.document,
    )
    await mailer.send(Message(key, purchase.email, subject, text))


def _spelt(moment: datetime) -> str:
    return f"{moment:%d %B %Y, %H:%M} UTC"
