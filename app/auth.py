"""Who sends this request: a session's access token, an API key, or nobody."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from time import monotonic
from typing import Any

from app.context import Deps
from app.dataloaders import Loaders
from app.db.repositories import accounts
from app.db.rows import Row
from app.domain.api_keys import PREFIX, Role, Scope, grantable, well_formed
from app.domain.errors import InvalidToken
from app.domain.plans import Tier
from app.domain.viewer import Viewer


@dataclass(frozen=True)
class Proof:
    """A credential that is good now; ``expires_at`` None: it does not end by itself.

    ``remembered``: it was good a moment ago, and the database was not asked again.
    """

    viewer: Viewer
    expires_at: datetime | None
    row: Row
    remembered: bool = False

    def prime(self, loaders: Loaders) -> None:
        """What was read to prove it need not be read again."""
        user_id = self.viewer.user_id
        loaders.accounts.users.prime(user_id, self.row)
        loaders.accounts.live_subscriptions.prime(user_id, accounts.live_subscription(self.row))


class KeyMemory:
    """The API keys that were proved within the last ``seconds``: docs/decisions/0014-remembered-keys.md."""

    LARGEST = 10_000

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._proofs: dict[bytes, tuple[float, Proof]] = {}
        self._forgotten = 0

    def find(self, credential: str, *, now: datetime) -> Proof | None:
        known = self._proofs.get(_fingerprint(credential)) if self._proofs else None
        if known is None or monotonic() >= known[0]:
            return None
        proof = known[1]
        return None if proof.expires_at is not None and proof.expires_at <= now else proof

    async def prove(self, deps: Deps, credential: str, *, now: datetime) -> Proof:
        """Asks the database, and remembers its answer unless ``forget`` came in between.

        Raises InvalidToken.
        """
        asked_at, forgotten = monotonic(), self._forgotten
        proof = await prove(deps, credential, now=now)
        if self._seconds and proof.viewer.api_key_id is not None and forgotten == self._forgotten:
            if len(self._proofs) >= self.LARGEST:
                self._proofs.clear()
            remembered = replace(proof, remembered=True)
            self._proofs[_fingerprint(credential)] = (asked_at + self._seconds, remembered)
        return proof

    def forget(self) -> None:
        """All of them: something was changed that may be the end of any."""
        self._forgotten += 1
        self._proofs.clear()


def _fingerprint(credential: str) -> bytes:
    return sha256(credential.encode("utf-8", "surrogatepass")).digest()


async def authenticate(
    deps: Deps, *, authorization: str | None, x_api_key: str | None, now: datetime, memory: KeyMemory
) -> Proof | None:
    """None without credentials. Raises InvalidToken for credentials that are not, or no longer, good."""
    credential = credential_of(authorization, x_api_key)
    if credential is None:
        return None
    proof = memory.find(credential, now=now) or await memory.prove(deps, credential, now=now)
    if proof.viewer.api_key_id is not None:
        deps.last_used.note(proof.viewer.api_key_id, now)
    return proof


def credential_of(authorization: str | None, x_api_key: str | None) -> str | None:
    """Raises InvalidToken for a header that holds none."""
    if x_api_key:
        return x_api_key.strip()
    if not authorization:
        return None
    scheme, _, credential = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise InvalidToken("Send 'Authorization: Bearer <access token or API key>'.")
    return credential.strip()


async def prove(deps: Deps, credential: str, *, now: datetime) -> Proof:
    """Raises InvalidToken."""
    by = _by_api_key if credential.startswith(PREFIX) else _by_access_token
    return await by(deps, credential, now=now)


async def _by_api_key(deps: Deps, key: str, *, now: datetime) -> Proof:
    if not well_formed(key):
        raise InvalidToken("This is no API key: its checksum is wrong, perhaps a part is missing.")
    rows = await deps.database.rows(accounts.VIEWER_BY_KEY, key_hashes=deps.tokens.digests(key), now=now)
    if not rows:
        raise InvalidToken("This API key is unknown, revoked or expired.")
    row = rows[0]
    return Proof(
        _viewer(row, scopes=_scopes(tuple(row.scopes)), api_key_id=row.api_key_id), row.expires_at, row
    )


@lru_cache(maxsize=256)
def _scopes(names: tuple[str, ...]) -> frozenset[Scope]:
    return frozenset(map(Scope, names))


async def _by_access_token(deps: Deps, token: str, *, now: datetime) -> Proof:
    claims = deps.tokens.read_access(token, now=now)
    rows = await deps.database.rows(
        accounts.VIEWER_BY_SESSION, user_id=claims.user_id, session_id=claims.session_id
    )
    if not rows:
        raise InvalidToken("This session has ended: sign in again.")
    row = rows[0]
    scopes = grantable(Role(row.role))
    return Proof(_viewer(row, scopes=scopes, session_id=claims.session_id), claims.expires_at, row)


def _viewer(row: Any, **of_credential: Any) -> Viewer:
    return Viewer(
        user_id=row.id,
        username=row.username,
        role=Role(row.role),
        tier=Tier(row.tier),
        anchor_at=row.live_anchor_at,
        **of_credential,
    )
