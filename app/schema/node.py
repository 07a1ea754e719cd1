"""Relay's Node and the global ids: opaque to clients, type and UUID to us."""

import binascii
import dataclasses
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import b2a_base64
from collections.abc import Callable
from typing import Any, Self
from uuid import UUID

import strawberry

from app.domain.errors import InvalidInput

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_COLUMN_FIELDS: dict[type, tuple[str, ...]] = {}


@strawberry.interface(description="Anything with an id that `node(id:)` finds again.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque, and unique over all types.")

    @classmethod
    def from_row(cls, row: Any, **given: Any) -> Self:
        """The object of a database row: attributes by their names, the id made global, ``given`` on top."""
        names = _COLUMN_FIELDS.get(cls) or _COLUMN_FIELDS.setdefault(cls, _column_fields(cls))
        read = {name: getattr(row, name) for name in names if name not in given}
        return cls(id=global_id(cls.__name__, row.id), **read, **given)


def _column_fields(cls: type) -> tuple[str, ...]:
    """The fields that a row must have: those that need a value when the object is made."""
    return tuple(
        field.name
        for field in dataclasses.fields(cls)
        if field.init and field.name != "id" and field.default is field.default_factory is dataclasses.MISSING
    )


def global_id(kind: str, uuid: UUID) -> strawberry.ID:
    return strawberry.ID(urlsafe_b64encode(kind.encode() + b":" + uuid.bytes).rstrip(b"=").decode())


def id_writer(kind: str) -> Callable[[Any], str]:
    """`global_id` of the rows of one kind."""
    prefix = kind.encode() + b":"
    return lambda row: b2a_base64(prefix + row.id.bytes).translate(_URL_SAFE, b"=\n").decode()


def split_id(text: str) -> tuple[str, UUID] | None:
    """(type name, UUID), or None for what is no id of ours."""
    try:
        kind, _, raw = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).partition(b":")
        return kind.decode("ascii"), UUID(bytes=raw)
    except (ValueError, binascii.Error):
        return None


def read_id(text: str, *, of: type[Node], field: str) -> UUID:
    """The UUID of a global id that must name an ``of``. Raises InvalidInput."""
    split = split_id(text)
    if split is None or split[0] != of.__name__:
        raise InvalidInput(field, f"'{field}' is the id of no {of.__name__}.")
    return split[1]
