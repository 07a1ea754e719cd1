"""Which bytes are JSON that means the same to everyone?"""

import json
import re
from collections import Counter
from typing import Any

import orjson

from app.engine.limits import LimitExceeded

# A megabyte holds 300,000 empty lists, which take a second to build; people send a few hundred values.
MAX_VALUES = 50_000
_SPACED_KEY = re.compile(rb'"\s+:')


class MalformedJson(ValueError):
    """Not JSON, or JSON that readers understand differently."""


def decode(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8.

    Raises MalformedJson, also for what some readers let pass: NaN, numbers beyond a double, lone surrogates,
    equal keys in one object, more than about a thousand levels. Raises LimitExceeded (json_values).
    """
    _require_few_values(raw)
    try:
        # The first reader is strict and safe in depth; the second tells equal keys and keeps integers exact.
        value = orjson.loads(raw)
        if _is_certain(value, raw):
            return value
        return json.loads(raw, object_pairs_hook=_object)
    except RecursionError:
        raise MalformedJson("It is nested too deeply.") from None
    except MalformedJson:
        raise
    except ValueError as error:
        raise MalformedJson(f"It is not valid JSON: {error}.") from None


def _is_certain(value: Any, raw: bytes) -> bool:
    """Whether the second reader would say the same: there is no float, which may be an integer that was too
    long, and as many keys as the text can have."""
    if _SPACED_KEY.search(raw):
        return False
    keys, pending = 0, [value]
    while pending:
        each = pending.pop()
        if type(each) is dict:
            keys += len(each)
            pending.extend(each.values())
        elif type(each) is list:
            pending.extend(each)
        elif type(each) is float:
            return False
    return keys == raw.count(b'":')


def _require_few_values(raw: bytes) -> None:
    if _count_values(raw) > MAX_VALUES and (actual := _count_values(_without_strings(raw))) > MAX_VALUES:
        raise LimitExceeded(name="json_values", limit=MAX_VALUES, actual=actual)


def _without_strings(raw: bytes) -> bytes:
    # Linear on any bytes: once escapes are gone, every other piece between quotes lies outside of strings.
    return b"".join(raw.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])


def _count_values(raw: bytes) -> int:
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise MalformedJson(f"The key {twice[:100]!r} appears twice in one object.")
    return members
