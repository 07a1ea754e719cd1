"""Which characters may foreign text hold, and in which form is it compared and stored?

Everything becomes NFC (UAX #15), so that one visible text is one stored text; NFKC would also change what
people wrote ('①' to '1'). Refused are control characters, lone surrogates, which UTF-8 cannot store, and the
bidirectional overrides and isolates that show text in another order than it has (CVE-2021-42574).
"""

import re
from itertools import groupby
from unicodedata import combining, normalize

from app.domain.errors import InvalidInput

_BIDI = "\u202a-\u202e\u2066-\u2069"
_UNFIT = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_BIDI}]")
_UNFIT_IN_LINE = re.compile(rf"[\x00-\x1f\x7f-\x9f\ud800-\udfff{_BIDI}\u2028\u2029\u200b\u2060\ufeff]")

MAX_COMBINING = 30
"""Marks upon one letter: the limit of UAX #15's stream-safe format."""


def normalise(text: str, *, field: str, multiline: bool = False) -> str:
    """``text`` in NFC; InvalidInput for characters that are refused.

    One line has no line breaks, tabs or invisible spaces; ``multiline`` keeps them, with line ends as \\n.
    """
    if multiline:
        text = re.sub("\r\n?|\u2028|\u2029", "\n", text)
    unfit = (_UNFIT if multiline else _UNFIT_IN_LINE).search(text)
    if unfit:
        raise InvalidInput(
            field, f"The character U+{ord(unfit[0]):04X} at position {unfit.start() + 1} is not allowed."
        )
    if text.isascii():
        return text
    _refuse_piled_marks(text, field=field)
    return normalize("NFC", text)


def _refuse_piled_marks(text: str, *, field: str) -> None:
    """Normalising sorts the marks on a letter in quadratic time: 100,000 of them take 8 seconds."""
    runs = (
        sum(1 for _ in marks)
        for marked, marks in groupby(text, key=lambda char: combining(char) > 0)
        if marked
    )
    if any(length > MAX_COMBINING for length in runs):
        raise InvalidInput(field, f"More than {MAX_COMBINING} combining marks follow one another.")
