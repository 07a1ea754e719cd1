"""What must never stand in a log line?"""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

HIDDEN = "[redacted]"
SECRET_KEYS = frozenset(
    [
        "access_token",
        "api_key",
        "authorization",
        "cookie",
        "jwt_secret",
        "new_password",
        "password",
        "pepper",
        "proxy-authorization",
        "refresh_token",
        "secret",
        "set-cookie",
        "token",
        "x-api-key",
    ]
)
SIMPLE = frozenset([str, int, float, bool, type(None)])
FREE_TEXT = frozenset(["text"])
"""The mail that development prints: its link is what the reader is after, and production never prints one."""

_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(/(?:downloads|uploads)/)(?!\{)[^/\s?#\"']+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)([?&](?:[a-z_]*token|signature|secret|password)=)[^&\s#\"']+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(rg_live_[0-9A-Za-z]{4})[0-9A-Za-z]{4,}"), rf"\1{HIDDEN}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"), HIDDEN),
    (re.compile(r"\b((?:sk|rk|pk)_(?:live|test)|whsec)_\w+"), rf"\1_{HIDDEN}"),
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+(@)"), rf"\1{HIDDEN}\2"),
)
_MARKS = (
    "/downloads/",
    "/uploads/",
    "=",
    "bearer",
    "basic",
    "rg_live_",
    "eyj",
    "_live",
    "_test",
    "whsec",
    "://",
)
"""Without one of them, in any case, none of the patterns matches: most of a log's words have none."""


def redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: hides what stands under a secret's name, and what looks like one anywhere."""
    if _is_harmless(event):
        return event
    for key, value in event.items():
        if key not in FREE_TEXT:
            event[key] = _clean(key, value)
    return event


def _is_harmless(event: Mapping[str, Any]) -> bool:
    """Asked of a line as a whole, as nearly all are: of each word it cost more than the rest of the log."""
    values = event.values()
    if not SIMPLE.issuperset(map(type, values)) or not SECRET_KEYS.isdisjoint(map(str.lower, event)):
        return False
    return not _may_hold_secrets("\n".join([value for value in values if type(value) is str]))


def _clean(key: str, value: Any) -> Any:
    if key.lower() in SECRET_KEYS and value is not None:
        return HIDDEN
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, Mapping):
        return {str(name): _clean(str(name), each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean("", each) for each in value]
    return value


def without_secrets(text: str) -> str:
    if not _may_hold_secrets(text):
        return text
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def _may_hold_secrets(text: str) -> bool:
    folded = text.casefold()
    for mark in _MARKS:  # noqa: SIM110 - a generator costs three times as much
        if mark in folded:
            return True
    return False
