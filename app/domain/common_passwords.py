"""Is a password among the first that are guessed?

The list is zxcvbn's: 30,000 leaked passwords by frequency (Wheeler, USENIX Security 2016). Its estimator is
left alone: on hostile text it takes far longer than an event loop may be held.
"""

import string
from functools import cache

from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]  # ships no types

_KEY_ROWS = (
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
)
_ENDINGS = string.digits + string.punctuation
_LONGEST_ENDING = 6


def is_common(password: str) -> bool:
    """Without regard to case: a listed password, also repeated or with a few digits put on, or a key row.

    Few listed passwords have the 12 characters of production: people lengthen the short ones like this.
    """
    unit = _repeated(password.casefold())
    return len(unit) <= 3 or _is_row(unit) or not _listed().isdisjoint({unit, _stem(unit)})


@cache
def _listed() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"])


def _repeated(text: str) -> str:
    """The shortest unit that makes ``text`` when repeated: 'abab' is 'ab' twice."""
    return text[: (text + text).index(text, 1)]


def _stem(text: str) -> str:
    """``text`` without up to 6 digits and signs around it."""
    stem = text.strip(_ENDINGS)
    return stem if len(text) - len(stem) <= _LONGEST_ENDING else text


def _is_row(text: str) -> bool:
    return any(text in row * 2 or text[::-1] in row * 2 for row in _KEY_ROWS)
