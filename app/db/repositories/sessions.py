"""Sessions, their refresh tokens, and the links that are mailed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.ids import new_id
from app.db.models import MailedLink, RefreshToken, Session, User
from app.db.rows import Row
from app.domain.accounts import Client, LinkPurpose


async def open_session(
    connection: AsyncConnection,
    *,
    user_id: UUID,
    token_hash: str,
    client: Client,
    expires_at: datetime,
    now: datetime,
) -> UUID:
    session_id = new_id()
    await connection.execute(
        insert(Session).values(
            id=session_id,
            user_id=user_id,
            user_agent=client.user_agent,
            address=client.address,
            created_at=now,
            last_used_at=now,
            expires_at=expires_at,
        )
    )
    await add_token(connection, session_id=session_id, token_hash=token_hash, now=now)
    return session_id


async def add_token(connection: AsyncConnection, *, session_id: UUID, token_hash: str, now: datetime) -> None:
    await connection.execute(
        insert(RefreshToken).values(token_hash=token_hash, session_id=session_id, created_at=now)
    )


async def lock_token(connection: AsyncConnection, *, token_hashes: list[str]) -> Row | None:
    """The token with its session, locked against a second refresh at the same time."""
    statement = (
        select(
            RefreshToken.token_hash,
            RefreshToken.used_at,
            Session.id.label("session_id"),
            Session.user_id,
            Session.expires_at,
            Session.revoked_at,
        )
        .join(Session, Session.id == RefreshToken.session_id)
        .where(RefreshToken.token_hash.in_(token_hashes))
        .with_for_update()
    )
    return (await connection.execute(statement)).one_or_none()


async def use_token(connection: AsyncConnection, *, token_hash: str, session_id: UUID, now: datetime) -> None:
    await connection.execute(
        update(RefreshToken).where(RefreshToken.token_hash == token_hash).values(used_at=now)
    )
    await connection.execute(update(Session).where(Session.id == session_id).values(last_used_at=now))


async def revoke(connection: AsyncConnection, session_id: UUID, *, reason: str, now: datetime) -> None:
    await connection.execute(
        update(Session)
        .where(Session.id == session_id, Session.revoked_at.is_(None))
        .values(revoked_at=now, revoke_reason=reason)
    )


async def revoke_all(
    connection: AsyncConnection, user_id: UUID, *, reason: str, now: datetime, keep: UUID | None = None
) -> None:
    statement = update(Session).where(Session.user_id == user_id, Session.revoked_at.is_(None))
    if keep is not None:
        statement = statement.where(Session.id != keep)
    await connection.execute(statement.values(revoked_at=now, revoke_reason=reason))


async def forget_person(connection: AsyncConnection, user_id: UUID) -> None:
    """Takes addresses and browsers out of the account's sessions, and its links away."""
    await connection.execute(
        update(Session).where(Session.user_id == user_id).values(address=None, user_agent=None)
    )
    await connection.execute(delete(MailedLink).where(MailedLink.user_id == user_id))


async def prune(connection: AsyncConnection, *, before: datetime) -> None:
    """Forgets sessions and links that expired before then; their tokens go with them."""
    await connection.execute(delete(Session).where(Session.expires_at < before))
    await connection.execute(delete(MailedLink).where(MailedLink.expires_at < before))


async def add_link(
    connection: AsyncConnection,
    *,
    user_id: UUID,
    purpose: LinkPurpose,
    email: str,
    token_hash: str,
    now: datetime,
) -> None:
    """A new link; the account's earlier ones of the same purpose end."""
    await connection.execute(
        update(MailedLink)
        .where(MailedLink.user_id == user_id, MailedLink.purpose == purpose, MailedLink.used_at.is_(None))
        .values(used_at=now)
    )
    await connection.execute(
        insert(MailedLink).values(
            token_hash=token_hash,
            user_id=user_id,
            purpose=purpose,
            email=email,
            created_at=now,
            expires_at=now + purpose.lifetime,
        )
    )


async def address_of_link(
    connection: AsyncConnection, *, token_hashes: list[str], purpose: LinkPurpose, now: datetime
) -> str | None:
    """Whom a link that is still good was mailed to."""
    statement = select(MailedLink.email).where(
        MailedLink.token_hash.in_(token_hashes),
        MailedLink.purpose == purpose,
        MailedLink.used_at.is_(None),
        MailedLink.expires_at > now,
    )
    return (await connection.execute(statement)).scalar_one_or_none()


async def use_link(
    connection: AsyncConnection, *, token_hashes: list[str], purpose: LinkPurpose, now: datetime
) -> Row | None:
    """Takes the link, once: (user_id, email), or None. The account must still have the link's address."""
    holder = select(User.id).where(
        User.id == MailedLink.user_id, User.email == MailedLink.email, User.deleted_at.is_(None)
    )
    statement = (
        update(MailedLink)
        .where(
            MailedLink.token_hash.in_(token_hashes),
            MailedLink.purpose == purpose,
            MailedLink.used_at.is_(None),
            MailedLink.expires_at > now,
            holder.exists(),
        )
        .values(used_at=now)
        .returning(MailedLink.user_id, MailedLink.email)
    )
    return (await connection.execute(statement)).one_or_none()
