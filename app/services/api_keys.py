"""API keys: made, rotated with an overlap, revoked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.db.database import Database
from app.db.repositories import api_keys, audit
from app.domain import slugs
from app.domain.api_keys import Scope, display_prefix
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.domain.viewer import Viewer
from app.ports import Tokens

ROTATION_OVERLAP = timedelta(hours=24)
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
    """Raises InvalidInput, Conflict (too many keys), Forbidden (a scope that the viewer does not have)."""
    name = slugs.clean_line(name, field="name", limit=100)
    _check(viewer, name=name, scopes=scopes, expires_at=expires_at, now=now)
    secret = tokens.new_api_key()
    async with database.transaction() as connection:
        if await api_keys.count_live(connection, viewer.user_id, now=now) >= MAX_LIVE_KEYS:
            raise Conflict(f"An account has at most {MAX_LIVE_KEYS} live API keys: revoke one first.")
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


async def rotate(
    *, database: Database, tokens: Tokens, viewer: Viewer, key_id: UUID, overlap: timedelta, now: datetime
) -> NewKey:
    """A new secret for the same key; the old one ends after ``overlap``. Raises NotFound, Forbidden."""
    if not timedelta(0) <= overlap <= timedelta(days=7):
        raise InvalidInput("overlapSeconds", "The overlap lasts from 0 seconds to 7 days.")
    secret = tokens.new_api_key()
    async with database.transaction() as connection:
        old = await api_keys.end_at(
            connection, key_id=key_id, user_id=viewer.user_id, at=now + overlap, now=now
        )
        if old is None:
            raise NotFound("A live API key of yours with this id", field="id")
        scopes = frozenset(Scope(scope) for scope in old.scopes)
        if not all(viewer.may(scope) for scope in scopes):
            raise Forbidden("You cannot rotate a key that may do more than you.")
        new_id = await api_keys.add(
            connection,
            user_id=viewer.user_id,
            name=old.name,
            prefix=display_prefix(secret),
            key_hash=tokens.digest(secret),
            scopes=scopes,
            expires_at=old.expires_at,
            replaces_id=key_id,
            now=now,
        )
        await audit.note(connection, "rotate_api_key", actor_id=viewer.user_id, subject_id=key_id, now=now)
    return NewKey(new_id, secret)


async def revoke(*, database: Database, viewer: Viewer, key_id: UUID, now: datetime) -> None:
    """Works from the next request on; revoking twice is no error. Raises NotFound."""
    async with database.transaction() as connection:
        if not await api_keys.revoke(connection, key_id=key_id, user_id=viewer.user_id, now=now):
            raise NotFound("An API key of yours with this id", field="id")
        await audit.note(connection, "revoke_api_key", actor_id=viewer.user_id, subject_id=key_id, now=now)
