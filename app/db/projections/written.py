"""How does PostgreSQL write a column as the API does? Each of these makes SQL of the name of a row."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Integer, Uuid
from sqlalchemy.types import TypeEngine

from app.db.models.base import UtcDateTime

Write = Callable[[str], str]


def column(name: str) -> Write:
    """Texts, numbers and truths, as they are."""
    return lambda row: f"{row}.{name}"


def sql(text: str) -> Write:
    """``{row}`` in it is the row."""
    return lambda row: text.format(row=row)


def instant(name: str) -> Write:
    """In UTC, which is every connection's time zone, to milliseconds; what is finer is cut off."""
    return sql(f"""to_char({{row}}.{name}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')""")


def member(name: str, enum: type[StrEnum]) -> Write:
    """An enum's name in place of its value."""
    value = f"{{row}}.{name}"
    return sql(_name_of(value, enum))


def members(name: str, enum: type[StrEnum]) -> Write:
    """Of a JSON list of values."""
    listed = f"json_array_elements_text({{row}}.{name}) AS item"
    return sql(f"(SELECT coalesce(json_agg({_name_of('item', enum)}), '[]') FROM {listed})")  # noqa: S608 - made of the program's own names


def _name_of(value: str, enum: type[StrEnum]) -> str:
    if all(member.name == member.value.upper() for member in enum):
        return f"upper({value})"
    names = " ".join(f"WHEN '{member.value}' THEN '{member.name}'" for member in enum)
    return f"CASE {value} {names} END"


def global_id(kind: str, name: str = "id") -> Write:
    return sql(_base64(f"'{kind}:'::bytea || uuid_send({{row}}.{name})"))


def cursor(order: str, columns: Sequence[tuple[str, TypeEngine[Any]]]) -> Write:
    """As ``domain.paging.write_cursor`` writes it: a JSON list of the order's name and the keys' values."""
    values = " || ',' || ".join(_plain(f"{{row}}.{name}", type_) for name, type_ in columns)
    return sql(_base64(f"""convert_to('["{order}",' || {values} || ']', 'UTF8')"""))


def _plain(value: str, type_: TypeEngine[Any]) -> str:
    if isinstance(type_, UtcDateTime):
        return f"""'"' || to_char({value}, 'YYYY-MM-DD"T"HH24:MI:SS.US') || '+00:00"'"""
    if isinstance(type_, Uuid):
        return f"""'"' || {value} || '"'"""
    return f"{value}::text" if isinstance(type_, Integer) else f"to_json({value})::text"


def _base64(octets: str) -> str:
    """For addresses, without padding; the lines that PostgreSQL breaks it into are one."""
    return f"translate(encode({octets}, 'base64'), E'+/=\\n', '-_')"
