"""What does an API key look like, and what may it be allowed to do?

``rg_live_`` + 30 random base62 characters (178 bits) + 6 base62 characters of a CRC32, as GitHub's tokens do:
a scanner finds a leaked key by its prefix, and a typo is told without asking the database. The checksum
guards against mistakes, not attackers: a well-formed key still has to be looked up by its keyed hash.
"""

import re
import string
import zlib
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

PREFIX = "rg_live_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_LENGTH = 30
CHECKSUM_LENGTH = 6

_RANDOM = re.compile(rf"[0-9A-Za-z]{{{RANDOM_LENGTH}}}")
_KEY_LENGTH = len(PREFIX) + RANDOM_LENGTH + CHECKSUM_LENGTH


class Scope(StrEnum):
    """What a key may do; every field and mutation asks for one."""

    READ = "read"
    WRITE = "write"
    PURCHASE = "purchase"
    PUBLISH = "publish"
    USAGE_WRITE = "usage_write"
    """Record usage for any account: for our own services, because customers cannot state their own usage."""
    ADMIN = "admin"


class Role(StrEnum):
    CUSTOMER = "customer"
    AUTHOR = "author"
    SUPPORT = "support"
    ADMIN = "admin"


_CUSTOMER = frozenset({Scope.READ, Scope.WRITE, Scope.PURCHASE})
_AUTHOR = _CUSTOMER | {Scope.PUBLISH}
_GRANTABLE: Mapping[Role, frozenset[Scope]] = MappingProxyType(
    {Role.CUSTOMER: _CUSTOMER, Role.AUTHOR: _AUTHOR, Role.SUPPORT: _AUTHOR, Role.ADMIN: frozenset(Scope)}
)


def format_key(random_part: str) -> str:
    """The key of 44 characters for 30 random base62 characters; ValueError for anything else."""
    if not _RANDOM.fullmatch(random_part):
        raise ValueError(f"The random part of a key is {RANDOM_LENGTH} base62 characters.")
    body = PREFIX + random_part
    return body + _checksum(body)


def well_formed(text: str) -> bool:
    """Whether prefix, alphabet, length and checksum fit; the work is bounded, however long the text is."""
    if len(text) != _KEY_LENGTH or not text.startswith(PREFIX):
        return False
    body, checksum = text[:-CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    return bool(_RANDOM.fullmatch(body, len(PREFIX))) and checksum == _checksum(body)


def display_prefix(key: str) -> str:
    """What may be shown and kept in clear: the prefix and 4 characters, which leaves 154 bits unknown."""
    return key[: len(PREFIX) + 4]


def grantable(role: Role) -> frozenset[Scope]:
    """The scopes that an account of this role may give to its keys."""
    return _GRANTABLE[role]


def _checksum(body: str) -> str:
    value, digits = zlib.crc32(body.encode("ascii")), ""
    for _ in range(CHECKSUM_LENGTH):
        value, digit = divmod(value, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
