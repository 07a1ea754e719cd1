"""Sessions: opened by password, continued by refresh token, ended."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app import metrics
from app.db.database import Database
from app.db.repositories import accounts, audit, sessions, sign_in_guards
from app.db.rows import Row
from app.domain import identity
from app.domain.accounts import REFRESH_GRACE, SESSION_LIFETIME, Client, SignedIn
from app.domain.errors import AccountLocked, DomainError, InvalidCredentials, InvalidInput, InvalidToken
from app.ports import Passwords, Tokens


async def login(
    *,
    database: Database,
    passwords: Passwords,
    tokens: Tokens,
    email: str,
    password: str,
    client: Client,
    now: datetime,
) -> SignedIn:
    """Opens a session. Raises InvalidCredentials (unknown and wrong alike), AccountLocked.

    The lock is looked at before the hash, to save the work, and again after it, in the transaction that
    answers: of a thousand guesses sent at once, those beyond the fifth learn nothing, right or wrong.
    """
    address = _known_form(email)
    subjects = sign_in_guards.subjects_of(address, client.address)
    async with database.read() as connection:
        user = await accounts.by_email(connection, address)
        until = await sign_in_guards.locked_until(connection, subjects, now=now)
    if until is not None:
        metrics.SIGN_INS.labels("locked").inc()
        raise AccountLocked(until=until)
    right, better_hash = await passwords.verify(password, user.password_hash if user else None)
    refresh_token, session_id = tokens.new_secret(), None
    async with database.transaction() as connection:
        refusal = await sign_in_guards.settle(connection, subjects, right=right, now=now)
        if refusal is None and user is not None:
            if (await accounts.hold(connection, user.id)).password_hash != user.password_hash:
                raise InvalidCredentials  # it was changed while this attempt was under way
            if better_hash:
                await accounts.change(connection, user.id, values={"password_hash": better_hash}, now=now)
            session_id = await sessions.open_session(
                connection,
                user_id=user.id,
                token_hash=tokens.digest(refresh_token),
                client=client,
                expires_at=now + SESSION_LIFETIME,
                now=now,
            )
    metrics.SIGN_INS.labels(_outcome(refusal)).inc()
    if refusal is not None or user is None or session_id is None:
        raise refusal or InvalidCredentials()
    access_token = tokens.issue_access(user_id=user.id, session_id=session_id, now=now)
    return SignedIn(user.id, session_id, access_token, refresh_token)


def _outcome(refusal: DomainError | None) -> str:
    if refusal is None:
        return "ok"
    return "locked" if isinstance(refusal, AccountLocked) else "wrong"


def _known_form(email: str) -> str:
    """What is no e-mail address belongs to nobody: it goes the way of an unknown one."""
    try:
        return identity.normalise_email(email)
    except InvalidInput:
        return sha256(email.encode(errors="replace")).hexdigest()


async def refresh(*, database: Database, tokens: Tokens, refresh_token: str, now: datetime) -> SignedIn:
    """Rotates the refresh token. A used one ends the session: it is in two hands. Raises InvalidToken."""
    successor = tokens.successor(refresh_token)
    async with database.transaction() as connection:
        held = await sessions.lock_token(connection, token_hashes=tokens.digests(refresh_token))
        alive = held is not None and held.revoked_at is None and held.expires_at > now
        if held is not None and alive:
            alive = await _rotate(connection, held, successor_hash=tokens.digest(successor), now=now)
    if held is None or not alive:
        raise InvalidToken("This session has ended: sign in again.")
    access_token = tokens.issue_access(user_id=held.user_id, session_id=held.session_id, now=now)
    return SignedIn(held.user_id, held.session_id, access_token, successor)


async def _rotate(connection: AsyncConnection, held: Row, *, successor_hash: str, now: datetime) -> bool:
    if held.used_at is None:
        await sessions.use_token(connection, token_hash=held.token_hash, session_id=held.session_id, now=now)
        await sessions.add_token(connection, session_id=held.session_id, token_hash=successor_hash, now=now)
        return True
    if now - held.used_at <= REFRESH_GRACE:
        return True
    await sessions.revoke(connection, held.session_id, reason="refresh token reused", now=now)
    await audit.note(
        connection, "refresh_token_reused", actor_id=held.user_id, subject_id=held.session_id, now=now
    )
    return False


async def logout(
    *,
    database: Database,
    tokens: Tokens,
    user_id: UUID | None,
    session_id: UUID | None,
    refresh_token: str | None,
    everywhere: bool,
    now: datetime,
) -> None:
    """Ends the session of the request, or of the refresh token; ``everywhere`` ends all of its account."""
    async with database.transaction() as connection:
        if refresh_token is not None:
            held = await sessions.lock_token(connection, token_hashes=tokens.digests(refresh_token))
            if held is not None:
                user_id, session_id = held.user_id, held.session_id
        if user_id is None or session_id is None:
            raise InvalidToken("There is no session to end: sign in, or give its refresh token.")
        if everywhere:
            await sessions.revoke_all(connection, user_id, reason="signed out everywhere", now=now)
        else:
            await sessions.revoke(connection, session_id, reason="signed out", now=now)
        await audit.note(
            connection, "logout", actor_id=user_id, subject_id=session_id, now=now, everywhere=everywhere
        )
