"""Do two answers say the same? Before anything is timed, every server must say what revgraph says."""

from datetime import UTC, datetime
from typing import Any

from app.schema.node import split_id

WORDS = ("tier", "role", "status")
"""Of closed sets, which PostGraphile gives as they stand in the database."""
NUMBERS = ("amountCents", "downloads", "ratingCount")
"""PostGraphile writes a bigint as text, so that JavaScript reads all 64 bits."""


def plain(answer: Any, *, name: str = "") -> Any:
    """The answer without what is a matter of taste: how ids, instants, enums and money are written."""
    if isinstance(answer, dict):
        return _object(answer, name)
    if isinstance(answer, list):
        return [plain(each, name=name) for each in answer]
    return _leaf(answer, name) if isinstance(answer, str) else answer


def _object(answer: dict[str, Any], name: str) -> Any:
    if set(answer) == {"nodes"} and name == "nodes":  # PostGraphile's page around a list
        return plain(answer["nodes"])
    found: dict[str, Any] = {}
    for name, value in answer.items():
        money = isinstance(value, dict) and set(value) == {"amountCents", "currency"}
        found.update(plain(value) if money else {name: plain(value, name=name)})
    return found


def _leaf(text: str, name: str) -> Any:
    if name == "id":
        split = split_id(text)
        return str(split[1]) if split else text
    if name in WORDS:
        return text.upper()
    if name in NUMBERS:
        return int(text)
    if name == "scopes":
        return text.upper().replace(":", "_")
    return _instant(text) if name.endswith("At") or name.startswith("period") else text


def _instant(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="milliseconds")


def difference(ours: Any, theirs: Any, *, at: str = "") -> str:
    """Where they part, in words; empty where they are the same."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if set(ours) != set(theirs):
            return f"{at}: fields {sorted(ours)} and {sorted(theirs)}"
        return next(filter(None, (difference(ours[k], theirs[k], at=f"{at}.{k}") for k in ours)), "")
    if isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            return f"{at}: {len(ours)} and {len(theirs)} items"
        pairs = enumerate(zip(ours, theirs, strict=True))
        return next(filter(None, (difference(a, b, at=f"{at}[{n}]") for n, (a, b) in pairs)), "")
    same = ours == theirs and (type(ours) is bool) == (type(theirs) is bool)  # 5.0 is 5; true is not 1
    return "" if same else f"{at}: {ours!r} and {theirs!r}"
