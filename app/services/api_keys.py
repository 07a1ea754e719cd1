"""API keys: made, rotated with an overlap, revoked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database
from app.db.repositories import accounts, api_keys, audit
from app.domain import slugs
from app.domain.api_keys import Scope, display_prefix
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from app.domain.viewer import Viewer
from app.ports import Tokens

MAX_LIVE_KEYS = 100


@dataclass(frozen=True)
class NewKey:
    """``secret`` is shown once and kept nowhere."""

    id: UUID
    secret: str


async def create(
    *,
    database: Database,
    tokens: Tokens,
    viewer: Viewer,
    name: str,
    scopes: frozenset[Scope],
    expires_at: datetime | None,
    now: datetime,
) -> NewKey:
    """What a key makes ends with that key at the latest.

    Raises InvalidInput, Conflict (too many keys), Forbidden (a scope that the viewer does not have).
    """
    name = slugs.clean_line(name, field="name", limit=100)
    _check(viewer, name=name, scopes=scopes, expires_at=expires_at, now=now)
    secret = tokens.new_api_key()
    async with database.transaction() as connection:
        await accounts.hold(connection, viewer.user_id)
        expires_at = await _within_callers(connection, viewer, expires_at, now=now)
        await _check_room(connection, viewer, now=now)
        key_id = await api_keys.add(
            connection,
            user_id=viewer.user_id,
            name=name,
            prefix=display_prefix(secret),
            key_hash=tokens.digest(secret),
            scopes=scopes,
            expires_at=expires_at,
            replaces_id=None,
            now=now,
        )
        await audit.note(
            connection,
            "create_api_key",
            actor_id=viewer.user_id,
            subject_id=key_id,
            now=now,
            scopes=sorted(scopes),
        )
    return NewKey(key_id, secret)


def _check(
    viewer: Viewer, *, name: str, scopes: frozenset[Scope], expires_at: datetime | None, now: datetime
) -> None:
    if not name:
        raise InvalidInput("name", "Give the key a name that tells what it is for.")
    if not scopes:
        raise InvalidInput("scopes", "Give at least one scope.")
    if expires_at is not None and expires_at <= now:
        raise InvalidInput("expiresAt", "The expiry must lie in the future.")
    beyond = sorted(scope.name for scope in scopes if not viewer.may(scope))
    if beyond:
        raise Forbidden(f"You cannot hand out what you do not have: {', '.join(beyond)}.")


async def _within_callers(
    connection: AsyncConnection, viewer: Viewer, expires_at: datetime | None, *, now: datetime
) -> datetime | None:
    """The expiry, brought forward to that of the key which asks: a leaked key makes none that outlives it."""
    if viewer.api_key_id is None:
        return expires_at
    caller = await api_keys.live(connection, key_id=viewer.api_key_id, user_id=viewer.user_id, now=now)
    if caller is None:
        raise Unauthenticated("This API key was revoked or has expired.")
    return min((at for at in (expires_at, caller.expires_at) if at is not None), default=None)


async def _check_room(connection: AsyncConnection, viewer: Viewer, *, now: datetime) -> None:
    if await api_keys.count_live(connection, viewer.user_id, now=now) >= MAX_LIVE_KEYS:
        raise Conflict(f"An account has at most {MAX_LIVE_KEYS} live API keys: revoke one first.")


async def rotate(
    *, database: Database, tokens: Tokens, viewer: Viewer, key_id: UUID, overlap: timedelta, now: datetime
) -> NewKey:
    """A new secret for the same key, with its expiry; the old one ends after ``overlap``.

    Raises InvalidInput, NotFound, Forbidden, Conflict (rotated before, too many keys).
    """
    if not timedelta(0) <= overlap <= timedelta(days=7):
        raise InvalidInput("overlapSeconds", "The overlap lasts from 0 seconds to 7 days.")
    secret = tokens.new_api_key()
    async with database.transaction() as connection:
        await accounts.hold(connection, viewer.user_id)
        old = await api_keys.live(connection, key_id=key_id, user_id=viewer.user_id, now=now)
        if old is None:
            raise NotFound("A live API key of yours with this id", field="id")
        scopes = frozenset(Scope(scope) for scope in old.scopes)
        if not all(viewer.may(scope) for scope in scopes):
            raise Forbidden("You cannot rotate a key that may do more than you.")
        if await api_keys.is_replaced(connection, key_id):
            raise Conflict("This key was rotated before: rotate the one that replaced it.", field="id")
        expires_at = await _within_callers(connection, viewer, old.expires_at, now=now)
        await api_keys.end_at(connection, key_id=key_id, at=now + overlap)
        await _check_room(connection, viewer, now=now)
        new_id = await api_keys.add(
            connection,
            user_id=viewer.user_id,
            name=old.name,
            prefix=display_prefix(secret),
            key_hash=tokens.digest(secret),
            scopes=scopes,
            expires_at=expires_at,
            replaces_id=key_id,
            now=now,
        )
        await audit.note(connection, "rotate_api_key", actor_id=viewer.user_id, subject_id=key_id, now=now)
    return NewKey(new_id, secret)


async def revoke(*, database: Database, viewer: Viewer, key_id: UUID, now: datetime) -> None:
    """Works from the next request on; revoking twice is no error.

    Raises NotFound, Forbidden (a key asks for the end of one that may do more).
    """
    async with database.transaction() as connection:
        await accounts.hold(connection, viewer.user_id)
        key = await api_keys.by_id(connection, key_id=key_id, user_id=viewer.user_id)
        if key is None:
            raise NotFound("An API key of yours with this id", field="id")
        if viewer.api_key_id not in (None, key_id) and not all(
            viewer.may(Scope(each)) for each in key.scopes
        ):
            raise Forbidden("A key cannot revoke one that may do more: sign in to do so.")
        await api_keys.revoke(connection, key_id, now=now)
        await audit.note(connection, "revoke_api_key", actor_id=viewer.user_id, subject_id=key_id, now=now)
