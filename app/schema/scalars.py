"""Scalars: instants and whole numbers beyond GraphQL's 32 bits."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

BigInt = NewType("BigInt", int)
MAX_SAFE_INTEGER = 2**53 - 1


def write_datetime(value: datetime) -> str:
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return f"{value.isoformat(timespec='milliseconds')[:-6]}Z"


def read_datetime(text: object) -> datetime:
    if not isinstance(text, str):
        raise ValueError("A DateTime is a text such as '2026-01-31T12:00:00Z'.")
    try:
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is None:
            raise ValueError
        return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"A DateTime is a text such as '2026-01-31T12:00:00Z', not {text[:40]!r}.") from None


def read_big_int(value: object) -> int:
    if type(value) is not int or abs(value) > MAX_SAFE_INTEGER:
        raise ValueError("A BigInt is a whole number of at most 53 bits.")
    return value


SCALARS: Mapping[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant in UTC, as in RFC 3339: 2026-01-31T12:00:00.000Z.",
        serialize=write_datetime,
        parse_value=read_datetime,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number of at most 53 bits, so that every JSON reader keeps it exact.",
        serialize=int,
        parse_value=read_big_int,
    ),
}
