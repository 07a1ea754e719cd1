"""What is a download link, and how long does it hold?

A token is 16 random bytes and the second of its expiry, then a signature over both: one that was forged or
has expired is told from the token alone. The signature is the caller's, since keys are no matter of rules.
"""

import hmac
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.domain.errors import InvalidToken, NotFound

LIFETIME = timedelta(hours=1)
LEASE = timedelta(minutes=5)
"""How long a delivery keeps its slot without a sign of life."""
MAX_FRAGMENTS = 100
"""Into how many separate parts a file may be fetched before one must be closed."""

RENEWAL = timedelta(seconds=60)
"""How often a running delivery shows that sign."""

_RANDOM_BYTES = 16
_BODY_LENGTH = 32  # characters: 24 bytes in base64


@dataclass(frozen=True)
class Link:
    """``token`` is handed out once; only its digest is kept."""

    token: str
    expires_at: datetime


def new_link(sign: Callable[[str], str], *, now: datetime) -> Link:
    expires_at = (now + LIFETIME).replace(microsecond=0)
    raw = secrets.token_bytes(_RANDOM_BYTES) + struct.pack(">q", int(expires_at.timestamp()))
    body = urlsafe_b64encode(raw).decode()
    return Link(f"{body}{sign(signed_text(body))}", expires_at)


def check_token(token: str, signatures: Callable[[str], list[str]], *, now: datetime) -> None:
    """Raises NotFound for what is not ours, InvalidToken for what has expired."""
    body, signature = token[:_BODY_LENGTH], token[_BODY_LENGTH:]
    if not token.isascii() or not any(
        hmac.compare_digest(signature, expected) for expected in signatures(signed_text(body))
    ):
        raise NotFound("A download with this link")
    (expiry,) = struct.unpack(">q", urlsafe_b64decode(body)[_RANDOM_BYTES:])
    if now >= datetime.fromtimestamp(expiry, UTC):
        raise InvalidToken("This link has expired: make a new one with createDownload.")


def signed_text(body: str) -> str:
    """Of its own kind, so that no digest of another secret is ever a signature."""
    return f"download-link:{body}"


def filename(path: str) -> str:
    """What the file is called once it is alone; the path is one of a package's files."""
    return path.rpartition("/")[2] or "download"
