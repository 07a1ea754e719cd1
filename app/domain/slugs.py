"""Which names and texts of a catalogue are accepted, in which form are they kept, and how shown short?

Lengths are counted in characters after normalising.
"""

import re

from app.domain.errors import InvalidInput
from app.domain.unicode_text import normalise

SLUG_LIMIT = 80
LABEL_LIMIT = 40

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_MARKUP = (
    (re.compile(r"!\[[^\]\n]{0,200}\]\([^)\n]{0,500}\)"), ""),
    (re.compile(r"\[([^\]\n]{1,200})\]\([^)\n]{0,500}\)"), r"\1"),
    (re.compile(r"^[ \t]*(?:#{1,6}|>|[-*+]|[0-9]{1,3}\.)[ \t]+", re.MULTILINE), ""),
    (re.compile(r"\*\*|__(?=\S)|(?<=\S)__|`+|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)"), ""),
)
_SENTENCE_END = re.compile(r"[.!?][\"')\]]?(?= +[\"'(\[]?[A-Z0-9])")


def slug(text: str, *, field: str = "slug") -> str:
    """2 to 80 of a-z and 0-9 with single hyphens between; InvalidInput for others, never a changed one."""
    if not 2 <= len(text) <= SLUG_LIMIT or not _SLUG.fullmatch(text):
        raise InvalidInput(field, f"Use 2 to {SLUG_LIMIT} of a-z and 0-9, with single hyphens between them.")
    return text


def tag(text: str, *, field: str = "tags") -> str:
    """One tag, in lower case with hyphens for spaces: ' Web Shop' is 'web-shop'; at most 40 characters."""
    return _label(text, field=field)


def category(text: str, *, field: str = "categories") -> str:
    """One category; the form of a tag."""
    return _label(text, field=field)


def _label(text: str, *, field: str) -> str:
    label = re.sub(r"[ _-]+", "-", text.strip(" ").lower()) if text.isascii() else ""
    if len(label) > LABEL_LIMIT or not _SLUG.fullmatch(label):
        raise InvalidInput(
            field, f"Use 1 to {LABEL_LIMIT} letters a-z and digits, with hyphens between words."
        )
    return label


def clean_line(text: str, *, field: str, limit: int, minimum: int = 1) -> str:
    """One line without control characters: stripped, NFC, from ``minimum`` to ``limit`` characters."""
    return _within(normalise(text.strip(" "), field=field), field=field, limit=limit, minimum=minimum)


def clean_text(text: str, *, field: str, limit: int, minimum: int = 0) -> str:
    """Lines and tabs, no other control characters: stripped, NFC, line ends as \\n; may be empty."""
    cleaned = normalise(text.removeprefix("\ufeff"), field=field, multiline=True).strip()
    return _within(cleaned, field=field, limit=limit, minimum=minimum)


def _within(text: str, *, field: str, limit: int, minimum: int) -> str:
    if not text.strip() and minimum:
        raise InvalidInput(field, "This must not be empty.")
    if len(text) < minimum:
        raise InvalidInput(field, f"At least {minimum} characters are needed: these are {len(text)}.")
    if len(text) > limit:
        raise InvalidInput(field, f"At most {limit:,} characters are allowed: these are {len(text):,}.")
    return text


def summary(text: str, limit: int = 200) -> str:
    """The first paragraph on one line of at most ``limit`` characters, Markdown's marks removed.

    A longer paragraph is cut after its last whole sentence that fits, else between words with '…'.
    """
    line = " ".join(_without_markup(_first_paragraph(text[: limit * 20])).split())
    if len(line) <= limit:
        return line
    ends = [match.end() for match in _SENTENCE_END.finditer(line[: limit + 2]) if match.end() <= limit]
    return line[: ends[-1]] if ends else _cut(line, limit)


def _first_paragraph(text: str) -> str:
    """The first that is more than headings; the first heading where there is nothing else."""
    paragraphs = [part for part in re.split(r"\n[ \t]*\n", text.strip()) if part.strip()]
    bodies = (re.sub(r"\A(?:#{1,6} [^\n]*(?:\n|\Z))+", "", part) for part in paragraphs)
    return next(
        (body for body in bodies if _without_markup(body).strip()), paragraphs[0] if paragraphs else ""
    )


def _without_markup(text: str) -> str:
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return text


def _cut(line: str, limit: int) -> str:
    head = line[:limit]
    words = head.rpartition(" ")[0].rstrip(" ,;:-–—")
    return (words or head[: limit - 1]) + "…"
