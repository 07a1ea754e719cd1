"""How does an answer become bytes without holding the event loop?"""

import json
from asyncio import sleep
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import orjson

# Lists longer than this are written in pieces; written at once, so many rows take about a millisecond.
ITEMS_AT_ONCE = 500
# Seconds after which other work of the event loop gets its turn.
TURN = 0.01


async def to_bytes(value: Any) -> bytes:
    """The JSON of `value`; between the pieces of a large one others get their turn."""
    started, pieces = perf_counter(), []
    for piece in _pieces(value):
        pieces.append(piece)
        if perf_counter() - started > TURN:
            await sleep(0)
            started = perf_counter()
    return b"".join(pieces)


def _pieces(value: Any) -> Iterator[bytes]:
    if type(value) is dict:
        opening = b"{"
        for key, member in value.items():
            yield opening + encode(str(key)) + b":"
            yield from _pieces(member)
            opening = b","
        yield b"}" if value else b"{}"
    elif type(value) is list and len(value) > ITEMS_AT_ONCE:
        opening = b"["
        for start in range(0, len(value), ITEMS_AT_ONCE):
            yield opening + encode(value[start : start + ITEMS_AT_ONCE])[1:-1]
            opening = b","
        yield b"]"
    else:
        yield encode(value)


def encode(value: Any) -> bytes:
    """At once, for what is small."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # Integers beyond 64 bits and lone surrogates, which custom scalars and stored text may contain.
        return json.dumps(value, separators=(",", ":"), default=_parsed).encode()


def _parsed(value: Any) -> Any:
    if isinstance(value, orjson.Fragment):
        return orjson.loads(orjson.dumps(value))
    raise TypeError(f"{value!r} is no JSON")
