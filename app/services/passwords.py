"""Passwords: changed by who knows the old one, reset by who reads the mail."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database
from app.db.repositories import accounts, audit, outbox, sessions, sign_in_guards
from app.domain import identity
from app.domain.accounts import LinkPurpose
from app.domain.errors import AccountLocked, InvalidCredentials, InvalidToken
from app.domain.outbox import Topic
from app.ports import Passwords, Tokens


async def change(
    *,
    database: Database,
    passwords: Passwords,
    user_id: UUID,
    session_id: UUID | None,
    current: str,
    new: str,
    production: bool,
    now: datetime,
) -> None:
    """Ends every other session. Raises InvalidCredentials, InvalidInput."""
    async with database.read() as connection:
        user = await accounts.by_id(connection, user_id)
        hashed = await accounts.password_hash(connection, user_id)
        subjects = sign_in_guards.subjects_of(user.email if user else "")
        until = await sign_in_guards.locked_until(connection, subjects, now=now)
    if user is None:
        raise InvalidCredentials
    if until is not None:
        raise AccountLocked(until=until)
    new = identity.check_password(new, production=production, email=user.email, username=user.username)
    right, _ = await passwords.verify(current, hashed)
    new_hash = await passwords.hash(new) if right else ""
    async with database.transaction() as connection:
        refusal = await sign_in_guards.settle(connection, subjects, right=right, now=now)
        if refusal is None:
            await _store(connection, user_id, verified=hashed, new_hash=new_hash, keep=session_id, now=now)
    if refusal is not None:
        raise refusal


async def _store(
    connection: AsyncConnection,
    user_id: UUID,
    *,
    verified: str | None,
    new_hash: str,
    keep: UUID | None,
    now: datetime,
) -> None:
    if (await accounts.hold(connection, user_id)).password_hash != verified:
        raise InvalidCredentials  # it was changed while this change was under way
    await accounts.change(connection, user_id, values={"password_hash": new_hash}, now=now)
    await sessions.revoke_all(connection, user_id, reason="password changed", now=now, keep=keep)
    await outbox.add(connection, Topic.PASSWORD_CHANGED, {"user_id": str(user_id)}, now=now)
    await audit.note(connection, "change_password", actor_id=user_id, subject_id=user_id, now=now)


async def request_reset(*, database: Database, email: str, now: datetime) -> None:
    """Mails a link if there is such an account; the caller cannot tell. Raises InvalidInput."""
    address = identity.normalise_email(email)
    async with database.transaction() as connection:
        user = await accounts.by_email(connection, address)
        if user is not None:
            await outbox.add(connection, Topic.RESET_PASSWORD, {"user_id": str(user.id)}, now=now)


async def reset(
    *,
    database: Database,
    passwords: Passwords,
    tokens: Tokens,
    token: str,
    new: str,
    production: bool,
    now: datetime,
) -> None:
    """Takes the link, ends every session, lifts the lock. Raises InvalidToken, InvalidInput."""
    async with database.read() as connection:  # what is no link costs no hash
        email = await sessions.address_of_link(
            connection, token_hashes=tokens.digests(token), purpose=LinkPurpose.RESET_PASSWORD, now=now
        )
    if email is None:
        raise InvalidToken
    new = identity.check_password(new, production=production, email=email)
    new_hash = await passwords.hash(new)
    async with database.transaction() as connection:
        link = await sessions.use_link(
            connection, token_hashes=tokens.digests(token), purpose=LinkPurpose.RESET_PASSWORD, now=now
        )
        if link is None:
            raise InvalidToken
        if (await accounts.hold(connection, link.user_id)).email != link.email:
            raise InvalidToken  # the address changed while the link was taken
        values = {"password_hash": new_hash, "email_verified_at": now}  # who reads the mail owns the address
        await accounts.change(connection, link.user_id, values=values, now=now)
        await sessions.revoke_all(connection, link.user_id, reason="password reset", now=now)
        await sign_in_guards.forgive(connection, f"account:{link.email}", now=now)
        await outbox.add(connection, Topic.PASSWORD_CHANGED, {"user_id": str(link.user_id)}, now=now)
        await audit.note(
            connection, "reset_password", actor_id=link.user_id, subject_id=link.user_id, now=now
        )
