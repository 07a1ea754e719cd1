"""Secrets that leave the server: access tokens (JWT), refresh tokens, mailed links, API keys.

JWT: HS256 by our own table of key ids, never by the token's header (RFC 8725). All others are random and kept
as HMAC-SHA256: a slow hash adds nothing to 178 or more random bits.
"""

import hashlib
import hmac
import secrets
import string
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

import jwt

from app.domain.accounts import ACCESS_TOKEN_LIFETIME
from app.domain.api_keys import format_key
from app.domain.errors import InvalidToken
from app.gateways.keyring import Keyring, key_id
from app.ports import AccessClaims

ALGORITHM = "HS256"
ISSUER = "revgraph"
AUDIENCE = "revgraph-api"
CLOCK_SKEW_SECONDS = 30
REQUIRED_CLAIMS = ["exp", "iat", "sub", "aud", "iss", "jti", "sid"]
VERIFIED_TOKENS = 4096
"""The latest ones, of which the process remembers that they are genuine: a tenth of a small request."""
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


class KeyedTokens:
    """``peppers`` key the stored digests; without any of their own they come from ``keyring``."""

    def __init__(self, keyring: Keyring, *, pepper: str | None = None) -> None:
        keys = keyring.keys("access-token")
        self._signing_kid, self._signing_key = key_id(keys[0]), keys[0]
        self._verifying = {key_id(key): key for key in keys}
        self._refresh_key = keyring.key("refresh-token")
        self._link_keys = keyring.keys("signed-text")
        # A signature that is right stays so, as long as the keys do; times and sessions are asked each time.
        self._verified = lru_cache(maxsize=VERIFIED_TOKENS)(self._verify)
        self._peppers = [pepper.encode()] if pepper else keyring.keys("digest")

    def issue_access(self, *, user_id: UUID, session_id: UUID, now: datetime) -> str:
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "jti": secrets.token_urlsafe(12),
            "iat": int(now.timestamp()),
            "exp": int((now + ACCESS_TOKEN_LIFETIME).timestamp()),
        }
        return jwt.encode(claims, self._signing_key, algorithm=ALGORITHM, headers={"kid": self._signing_kid})

    def read_access(self, token: str, *, now: datetime) -> AccessClaims:
        read, issued_at = self._verified(token)
        if now >= read.expires_at:
            raise InvalidToken("This access token has expired: use refreshSession.")
        if (issued_at - now).total_seconds() > CLOCK_SKEW_SECONDS:
            raise InvalidToken("This access token is not valid yet: check the clocks.")
        return read

    def _verify(self, token: str) -> tuple[AccessClaims, datetime]:
        """What the token says, and when it was issued. Raises InvalidToken."""
        try:
            key = self._verifying[str(jwt.get_unverified_header(token).get("kid"))]
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # the times are compared below, with the caller's clock
                options={
                    "require": REQUIRED_CLAIMS,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            expires_at = datetime.fromtimestamp(int(claims["exp"]), UTC)
            issued_at = datetime.fromtimestamp(int(claims["iat"]), UTC)
            read = AccessClaims(UUID(claims["sub"]), UUID(claims["sid"]), expires_at)
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, OverflowError, OSError):
            raise InvalidToken("This access token is not one of ours: sign in again.") from None
        return read, issued_at

    def new_secret(self) -> str:
        return secrets.token_urlsafe(32)

    def successor(self, refresh_token: str) -> str:
        """Derived, so that the answer to a repeated refresh needs no stored secret."""
        return _text(hmac.digest(self._refresh_key, refresh_token.encode(), hashlib.sha256))

    def digest(self, secret: str) -> str:
        return self.digests(secret)[0]

    def digests(self, secret: str) -> list[str]:
        return [hmac.digest(pepper, secret.encode(), "sha256").hex() for pepper in self._peppers]

    def new_api_key(self) -> str:
        return format_key("".join(secrets.choice(BASE62) for _ in range(30)))

    def sign(self, text: str, *, purpose: str) -> str:
        return f"{_text(text.encode())}.{_text(_proof(self._link_keys[0], purpose, text))}"

    def unsign(self, signed: str, *, purpose: str) -> str:
        try:
            written, proof = (urlsafe_b64decode(part + b"===") for part in signed.encode("ascii").split(b"."))
            text = written.decode()
        except ValueError:
            raise InvalidToken from None
        if not any(hmac.compare_digest(proof, _proof(key, purpose, text)) for key in self._link_keys):
            raise InvalidToken
        return text


def _proof(key: bytes, purpose: str, text: str) -> bytes:
    return hmac.digest(key, f"{purpose}\0{text}".encode(), hashlib.sha256)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
