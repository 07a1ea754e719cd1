"""Which words of a question does this index not know, and which known ones were meant?"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sqlalchemy import Select, String, cast, column, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.repositories.search.tables import TRIGRAMS, WORDS, knows
from app.domain.search import Question, Term, nearest, tolerance

SIMILAR = 64
"""Words that share trigrams and are looked at letter by letter."""
MOST_CORRECTIONS = 8


async def understand(connection: AsyncConnection, question: Question) -> Question:
    """The question with each word that nothing has replaced by the nearest ones that something has."""
    known = await _known(connection, question.terms)
    unknown = [term.words[0] for term in question.terms if term not in known]
    if not unknown:
        return question
    meant = await _corrections(connection, unknown)
    return replace(
        question, terms=tuple(term if term in known else meant[term.words[0]] for term in question.terms)
    )


async def _known(connection: AsyncConnection, terms: Iterable[Term]) -> set[Term]:
    """Those that any package has, listed or not."""
    asked = list(dict.fromkeys(terms))
    if not asked:
        return set()
    checks = [
        select(
            literal(number).label("number"),
            knows(connection.dialect.name, term.words, prefix=term.prefix).label("there"),
        )
        for number, term in enumerate(asked)
    ]
    rows = (await connection.execute(union_all(*checks))).all()
    return {asked[row.number] for row in rows if row.there}


async def _corrections(connection: AsyncConnection, unknown: list[str]) -> Mapping[str, Term]:
    """For each word the known words with the fewest slips; none is a term that nothing answers."""
    similar = await _similar(connection, [word for word in unknown if tolerance(word)])
    near = {word: nearest(word, similar.get(word, ()), most=MOST_CORRECTIONS) for word in unknown}
    known = await _known(connection, [Term((each,)) for found in near.values() for _, each in found])
    return {
        word: _fewest_slips([pair for pair in near[word] if Term((pair[1],)) in known]) for word in unknown
    }


def _fewest_slips(near: list[tuple[int, str]]) -> Term:
    return Term(tuple(word for slips, word in near if slips == near[0][0]))


async def _similar(connection: AsyncConnection, words: list[str]) -> dict[str, list[str]]:
    if not words:
        return {}
    by_trigrams = _sqlite_similar if connection.dialect.name == "sqlite" else _postgresql_similar
    parts = [select(by_trigrams(number, word).subquery()) for number, word in enumerate(words)]
    found: dict[str, list[str]] = {}
    for number, word in (await connection.execute(union_all(*parts))).all():
        found.setdefault(words[number], []).append(word)
    return found


def _sqlite_similar(number: int, word: str) -> Select[tuple[int, str]]:
    padded = f"  {word} "
    trigrams = " OR ".join(f'"{padded[n : n + 3]}"' for n in range(len(padded) - 2))
    shared = TRIGRAMS.c.package_search_trigrams.op("MATCH", is_comparison=True)(trigrams)
    return (
        select(literal(number).label("number"), WORDS.c.word)
        .select_from(TRIGRAMS)
        .join(WORDS, WORDS.c.id == TRIGRAMS.c.rowid)
        .where(shared)
        .order_by(column("rank"))
        .limit(SIMILAR)
    )


def _postgresql_similar(number: int, word: str) -> Select[tuple[int, str]]:
    distance = WORDS.c.word.op("<->")(cast(literal(word), String))
    return select(literal(number).label("number"), WORDS.c.word).order_by(distance).limit(SIMILAR)
