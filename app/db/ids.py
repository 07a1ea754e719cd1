"""Time-ordered ids (UUIDv7, RFC 9562): new rows stand together in the index, and ids sort by age."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    return uuid7()
