"""Notices about the account itself: its address, its password.

``key`` becomes the Message-ID. A mail that is sent again after a doubtful outcome keeps it, so that mail
programs show it once; one with a link has a new link each time, and therefore an id of its own.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import Row

from app.db.database import Database
from app.db.repositories import accounts, sessions
from app.domain.accounts import LinkPurpose
from app.ports import Tokens
from app.services.notices.post import Post, spelt


async def confirm_address(post: Post, *, tokens: Tokens, user_id: UUID, key: str, now: datetime) -> None:
    """Mails a link that proves the address, unless it is proved already. Raises MailError."""
    user = await _user(post.database, user_id)
    if user is None or user.email_verified_at is not None:
        return
    token = await _new_link(post.database, tokens, user, LinkPurpose.VERIFY_EMAIL, now=now)
    await _mail_link(post, user, LinkPurpose.VERIFY_EMAIL, token, key=key, now=now)


async def reset_password(post: Post, *, tokens: Tokens, user_id: UUID, key: str, now: datetime) -> None:
    """Mails a link that sets a new password. Raises MailError."""
    user = await _user(post.database, user_id)
    if user is None:
        return
    token = await _new_link(post.database, tokens, user, LinkPurpose.RESET_PASSWORD, now=now)
    await _mail_link(post, user, LinkPurpose.RESET_PASSWORD, token, key=key, now=now)


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
    post: Post, user: Row[Any], purpose: LinkPurpose, token: str, *, key: str, now: datetime
) -> None:
    path = purpose.value.replace("_", "-")
    await post.send(
        purpose.value,
        key=key,
        to=user.email,
        username=user.username,
        email=user.email,
        link=f"{post.base_url}/{path}?{urlencode({'token': token})}",
        token=token,
        expires_at=spelt(now + purpose.lifetime),
    )


async def password_changed(post: Post, *, user_id: UUID, changed_at: datetime, key: str) -> None:
    """Tells the owner, who may not be the one who did it. Raises MailError."""
    user = await _user(post.database, user_id)
    if user is not None:
        await post.send(
            "password_changed",
            key=key,
            to=user.email,
            username=user.username,
            email=user.email,
            changed_at=spelt(changed_at),
        )


async def email_changed(post: Post, *, username: str, email: str, changed_at: datetime, key: str) -> None:
    """Tells the address that was: its owner may not be the one who changed it. Raises MailError."""
    await post.send("email_changed", key=key, to=email, username=username, changed_at=spelt(changed_at))
