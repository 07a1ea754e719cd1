"""Which words does a text have, which does a question ask for, and which was meant by a slip?

Words are cut here and not in the databases, so that both find the same: NFKD without marks, case folded
('Café' is 'cafe'), letters and digits only. Han and Kana have no spaces between words: each sign is a word.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from unicodedata import combining, normalize

from app.domain.errors import InvalidInput

QUERY_LIMIT = 200
MOST_WORDS = 12
WORD_LIMIT = 64
"""Characters of a word that count: nobody types more, and an index entry has a greatest size."""
STOP_WORDS = frozenset(["a", "an", "and", "for", "in", "of", "on", "or", "the", "to", "with"])

_SIGN = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_SIGN}]|[^\W_{_SIGN}]+")


@dataclass(frozen=True)
class Term:
    """One word of a question: any of ``words`` answers it, with ``prefix`` also what begins so."""

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True)
class Question:
    """All ``terms`` must be found; without any, nothing is. ``title`` is the name that would be just this."""

    terms: tuple[Term, ...]
    title: str


def words(text: str) -> list[str]:
    """In order, with repetitions."""
    folded = text.lower() if text.isascii() else _fold(text)
    return [word[:WORD_LIMIT] for word in _WORD.findall(folded)]


def _fold(text: str) -> str:
    """Drops the marks that NFKD parts from their letters: 'é' is 'e', and 'ガ' is 'カ'."""
    return "".join(char for char in normalize("NFKD", text).casefold() if not combining(char))


def question(text: str | None) -> Question | None:
    """None where nothing is asked. Raises InvalidInput for more than 200 characters.

    The last word may be unfinished. Small words count only among themselves; beyond 12 words nothing is read.
    """
    if text is None or not text.strip():
        return None
    if len(text) > QUERY_LIMIT:
        raise InvalidInput("query", f"Search for at most {QUERY_LIMIT} characters: these are {len(text):,}.")
    asked = words(text)
    distinct = list(dict.fromkeys(asked))[:MOST_WORDS]
    telling = [word for word in distinct if word not in STOP_WORDS] or distinct
    terms = tuple(Term((word,), prefix=word == telling[-1]) for word in telling)
    return Question(terms=terms, title=" ".join(asked))


def tolerance(word: str) -> int:
    """How many slips are forgiven: in short words one slip makes another word."""
    return 0 if len(word) < 4 else 1 if len(word) < 8 else 2


def nearest(word: str, known: Iterable[str], *, most: int) -> list[tuple[int, str]]:
    """(slips, word) of the known words within the tolerance, nearest first."""
    allowed = tolerance(word)
    near = ((slips(word, each), each) for each in known if abs(len(word) - len(each)) <= allowed)
    return sorted(pair for pair in near if pair[0] <= allowed)[:most]


def slips(left: str, right: str) -> int:
    """Letters left out, added, changed, or swapped with their neighbour (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, one in enumerate(left, 1):
        earlier, before, row = before, row, [i]
        for j, other in enumerate(right, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (one != other))
            if i > 1 and j > 1 and one == right[j - 2] and left[i - 2] == other:
                best = min(best, earlier[j - 2] + 1)
            row.append(best)
    return row[-1]
