"""The server's secrets: one configured master, and a key of its own for every purpose (HKDF, RFC 5869)."""

import hashlib
from collections.abc import Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Keyring:
    """``masters``: the current secret first, then those still accepted while they are rotated out."""

    def __init__(self, masters: Sequence[str]) -> None:
        self._masters = [master.encode() for master in masters]

    def key(self, purpose: str) -> bytes:
        return self.keys(purpose)[0]

    def keys(self, purpose: str) -> list[bytes]:
        return [_derive(master, purpose) for master in self._masters]


def _derive(master: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"revgraph/{purpose}".encode()).derive(master)


def key_id(key: bytes) -> str:
    """A public name of a key that tells nothing about it."""
    return hashlib.sha256(b"kid" + key).hexdigest()[:12]
