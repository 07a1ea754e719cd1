"""Which bytes are JSON that means the same to everyone?"""

import json
from typing import Any

import orjson


class MalformedJson(ValueError):
    """Not JSON, or JSON that readers understand differently."""


def decode(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8.

    Raises MalformedJson, also for what some readers let pass: NaN, numbers beyond a double, lone surrogates,
    equal keys in one object, more than about a thousand levels.
    """
    try:
        # The first reader is strict and safe in depth; the second tells equal keys and keeps integers exact.
        orjson.loads(raw)
        return json.loads(raw, object_pairs_hook=_object)
    except RecursionError:
        raise MalformedJson("It is nested too deeply.") from None
    except MalformedJson:
        raise
    except ValueError as error:
        raise MalformedJson(f"It is not valid JSON: {error}.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        met: set[str] = set()
        twice = next(name for name, _ in pairs if name in met or met.add(name))  # type: ignore[func-returns-value]
        raise MalformedJson(f"The key {twice[:100]!r} appears twice in one object.")
    return members


def encode(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        # Integers beyond 64 bits and lone surrogates, which custom scalars and stored text may contain.
        return json.dumps(value, separators=(",", ":")).encode()
