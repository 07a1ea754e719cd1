"""What does a licence file look like, and is this one genuine?

A licence is plain text that people read and programs verify offline: a first line that names the format, one
``name: value`` a line, at last the signature. Signed (Ed25519, RFC 8032) are the UTF-8 bytes of all lines
before the signature's, each ended by ``\\n``, so that there is one canonical form and nothing outside of it
to believe.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM = "Ed25519"
FIRST_LINE = "revgraph licence 1"
KEY = "key"
SIGNATURE = "signature"
MAX_LENGTH = 20_000
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_BREAK = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")


class InvalidLicence(ValueError):
    """A document that proves nothing; the message says why."""


class Ed25519Signer:
    """``seed`` and ``retired`` are 32 bytes each; retired keys sign nothing, but their licences stay good."""

    def __init__(self, seed: bytes, *, retired: Sequence[bytes] = ()) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        keys = [self._key, *(Ed25519PrivateKey.from_private_bytes(each) for each in retired)]
        raw = [key.public_key().public_bytes_raw() for key in keys]
        self._public_keys = {_key_id(each): b64encode(each).decode() for each in raw}
        self._signing_kid = _key_id(raw[0])

    @property
    def public_keys(self) -> Mapping[str, str]:
        return self._public_keys

    def sign(self, fields: Mapping[str, str | None]) -> str:
        """ValueError for a name or value that would not stay on its line."""
        given = {name: value for name, value in fields.items() if value is not None}
        signed = _text({**given, KEY: self._signing_kid})
        return f"{signed}{SIGNATURE}: {b64encode(self._key.sign(signed.encode())).decode()}\n"

    def key_id(self, document: str) -> str | None:
        try:
            return _read(document)[1].get(KEY)
        except InvalidLicence:
            return None


def _key_id(public_key: bytes) -> str:
    return hashlib.sha256(public_key).hexdigest()[:16]


def _text(fields: Mapping[str, str]) -> str:
    for name, value in fields.items():
        if not _NAME.fullmatch(name) or name == SIGNATURE or _BREAK.search(value) or value != value.strip():
            raise ValueError(f"The licence's {name!r} cannot be written on one line: {value!r}.")
    return "".join(
        f"{line}\n" for line in (FIRST_LINE, *(f"{name}: {value}" for name, value in fields.items()))
    )


def verify(document: str, public_keys: Mapping[str, str]) -> dict[str, str]:
    """The licence's fields, once proved by the one of ``public_keys`` (key id -> base64) that it names.

    Raises InvalidLicence. Line ends may have become CRLF on the way. Whether a licence was revoked since,
    only the server knows.
    """
    signed, fields = _read(document)
    signature = fields.pop(SIGNATURE)
    key = public_keys.get(fields.get(KEY, ""))
    if key is None:
        raise InvalidLicence(
            f"The licence names the key {fields.get(KEY)!r}, which is not among the given ones."
        )
    try:
        Ed25519PublicKey.from_public_bytes(b64decode(key, validate=True)).verify(
            b64decode(signature, validate=True), signed.encode()
        )
    except (InvalidSignature, ValueError):
        raise InvalidLicence("The signature does not fit: the licence is forged or was changed.") from None
    return fields


def _read(document: str) -> tuple[str, dict[str, str]]:
    """(what is signed, every field with the signature)."""
    if len(document) > MAX_LENGTH:
        raise InvalidLicence("This is too long for a licence.")
    lines = document.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if lines[0] != FIRST_LINE:
        raise InvalidLicence(f"A licence begins with the line '{FIRST_LINE}'.")
    fields: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(": ")
        if not colon or not _NAME.fullmatch(name) or name in fields or _BREAK.search(line):
            raise InvalidLicence(f"This line does not belong into a licence: {line[:80]!r}.")
        fields[name] = value
    if not fields or list(fields)[-1] != SIGNATURE:
        raise InvalidLicence("The licence has no signature as its last line.")
    return "".join(f"{line}\n" for line in lines[:-1]), fields
