"""What services and resolvers see of the outside world; the gateways implement it, tests have small fakes."""

from collections.abc import AsyncIterator, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.domain.papers import Paper


@dataclass(frozen=True)
class AccessClaims:
    """What an access token says, once proved: times are aware UTC."""

    user_id: UUID
    session_id: UUID
    expires_at: datetime


class Tokens(Protocol):
    """Secrets that leave the server, and the hashes of them that stay."""

    def issue_access(self, *, user_id: UUID, session_id: UUID, now: datetime) -> str: ...
    def read_access(self, token: str, *, now: datetime) -> AccessClaims:
        """Raises InvalidToken."""
        ...

    def new_secret(self) -> str:
        """A URL-safe secret of 256 random bits."""
        ...

    def successor(self, refresh_token: str) -> str:
        """The one refresh token that follows this one: asking twice gives the same."""
        ...

    def digest(self, secret: str) -> str:
        """64 hex digits to keep in place of a secret; keyed."""
        ...

    def digests(self, secret: str) -> list[str]:
        """The digest under every key that is still accepted, the current one first."""
        ...

    def new_api_key(self) -> str: ...
    def sign(self, text: str, *, purpose: str) -> str:
        """The text, readable to who knows how, with a proof that it is ours; safe in a URL."""
        ...

    def unsign(self, signed: str, *, purpose: str) -> str:
        """The text again. Raises InvalidToken for what was not signed here, for this purpose."""
        ...


class Passwords(Protocol):
    """Slow hashes, computed off the event loop."""

    async def hash(self, password: str) -> str: ...
    async def verify(self, password: str, hashed: str | None) -> tuple[bool, str | None]:
        """(right, a better hash to store or None). ``None`` for the hash takes as long and is never right."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a mail; ``media_type`` such as application/pdf."""

    filename: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Message:
    """One mail; ``key`` names it uniquely, so that a repeated delivery can be told.

    With ``html`` it goes out in both forms, and the reader's program chooses.
    """

    key: str
    to: str
    subject: str
    text: str
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()


class Mailer(Protocol):
    async def send(self, message: Message) -> None:
        """Raises MailError when the message was not accepted."""
        ...


class MailError(Exception):
    """The mail server could not be reached or refused the message."""


class PrintingError(Exception):
    """A paper could not be set in type."""


class Printer(Protocol):
    """Papers as files."""

    async def pdf(self, paper: Paper) -> bytes:
        """The same bytes for the same paper. Raises PrintingError."""
        ...


class StorageError(Exception):
    """The object store could not be reached or does not have the object."""


class ObjectStore(Protocol):
    """Bytes by key, streamed both ways."""

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None: ...
    def get(self, key: str, *, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes [start, end)."""
        ...

    async def delete(self, key: str) -> None: ...
    async def delete_below(self, folder: str) -> None:
        """Every object whose key begins with ``folder`` and a slash; none is no error."""
        ...

    async def check(self) -> None:
        """Raises StorageError when nothing can be written."""
        ...


class RateLimiter(Protocol):
    async def hit(self, bucket: str, subject: str, *, cost: int = 1) -> int:
        """Seconds to wait, 0 when admitted. Raises KeyError for an unknown bucket."""
        ...

    async def close(self) -> None: ...


class LastUsed(Protocol):
    """Remembers that an API key was used; written later, many at once."""

    def note(self, api_key_id: UUID, now: datetime) -> None: ...
    def take(self) -> dict[UUID, datetime]:
        """What was noted since the last call; the caller writes it down."""
        ...


class LicenceSigner(Protocol):
    """Ed25519 over the licence's canonical text."""

    def sign(self, fields: Mapping[str, str | None]) -> str:
        """The licence document: readable text with its signature; fields that are None are left out."""
        ...

    def key_id(self, document: str) -> str | None:
        """Which key signed the document; None for what is no licence document."""
        ...

    @property
    def public_keys(self) -> Mapping[str, str]:
        """By key id, base64 of the 32 raw bytes; the signing key first, then retired ones."""
        ...


@dataclass(frozen=True)
class LeftBlock:
    """What a process that has ended used of a block of API calls, under which limit (None: unlimited)."""

    id: UUID
    used: int
    limit: int | None


class BlockJournal(Protocol):
    """What this process used of its blocks, kept where its own death does not take it away.

    A slot is open from before its block is reserved until after the block is settled.
    """

    def open(self, block_id: UUID, *, limit: int | None) -> int | None:
        """A slot for the block; None where nothing more can be kept: then there must be no block."""
        ...

    def note(self, slot: int, used: int) -> None: ...
    def close(self, slot: int) -> None: ...
    def left_behind(self) -> Generator[list[LeftBlock]]:
        """The blocks of each ended process; they are forgotten when the next ones are asked for."""
        ...

    def end(self) -> None:
        """No more slots; those that are open are left behind."""
        ...
