"""How does a form-encoded body become nested parameters?"""

import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.errors import ApiError, refused

DEEPEST = 20
KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")


def decode(raw: bytes) -> dict[str, Any]:
    """`a[b][0]=c` becomes {"a": {"b": ["c"]}}. Values stay strings: their types are known elsewhere."""
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=bool(raw), max_num_fields=2000)
    except ValueError as error:
        raise refused("The request body could not be parsed as form-encoded parameters.") from error
    tree: dict[str, Any] = {}
    for key, value in pairs:
        place(tree, key, value)
    return {name: with_lists(value) for name, value in tree.items()}


def place(tree: dict[str, Any], key: str, value: str) -> None:
    found = KEY.match(key)
    if not found or key.count("[") > DEEPEST:
        raise invalid_key(key)
    steps = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])]
    for step in steps[:-1]:
        tree = tree.setdefault(numbered(tree, step), {})
        if not isinstance(tree, dict):
            raise invalid_key(key)
    tree[numbered(tree, steps[-1])] = value


def numbered(tree: dict[str, Any], step: str) -> str:
    """`a[]` appends; the list is told from a map later, by its keys."""
    return step or str(len(tree))


def with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    entries = {key: with_lists(inner) for key, inner in value.items()}
    if entries and all(re.fullmatch("[0-9]{1,9}", key) for key in entries):
        return [entries[key] for key in sorted(entries, key=int)]
    return entries


def invalid_key(key: str) -> ApiError:
    return refused(f"Invalid parameter name: {key[:80]}", param=key[:80])
