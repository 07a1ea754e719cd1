"""Which packages answer a question, and how well?

The score counts in which fields the words stand and nothing else: name before labels (slug, tags,
categories, author) before description before readme. BM25 and its kin would let a readme that repeats a word
outdo a name, and change every score when any package is added, under the feet of whoever turns the pages.
"""

from typing import Any

from sqlalchemy import CTE, BigInteger, Select, cast, func, literal_column, select, union_all

from app.db.repositories.search.tables import DOCUMENTS, FIELDS, VECTORS, containing
from app.domain.search import Question, Term

WEIGHTS = dict(zip(FIELDS, (27, 9, 3, 1), strict=True))
"""Digits to base 3 (1 the beginning of a word, 2 a word): no sum of lesser fields outdoes a greater one."""
JUST_THIS = 10_000
"""The name is the question, word by word."""


def answering(dialect: str, question: Question) -> Select[Any]:
    """The ids of the packages that have every term, for who does not ask how well. There must be a term."""
    key, package_id = (
        (DOCUMENTS.c.id, DOCUMENTS.c.package_id)
        if dialect == "sqlite"
        else (VECTORS.c.package_id, VECTORS.c.package_id)
    )
    found = [key.in_(containing(dialect, term.words, prefix=term.prefix)) for term in question.terms]
    return select(package_id).where(*found)


def matches(dialect: str, question: Question) -> CTE:
    """(package_id, score) of the packages that have every term. The question must have one."""
    hits = union_all(*_hits(dialect, question)).subquery("hits")
    statement = (
        select(hits.c.key, cast(func.sum(hits.c.weight), BigInteger).label("score"))
        .group_by(hits.c.key)
        .having(func.count(hits.c.term.distinct()) == len(question.terms))
    )
    if dialect != "sqlite":
        return select(statement.subquery().c.key.label("package_id"), literal_column("score")).cte("matches")
    numbered = statement.subquery("numbered")
    return (
        select(DOCUMENTS.c.package_id, numbered.c.score)
        .join(numbered, numbered.c.key == DOCUMENTS.c.id)
        .cte("matches")
    )


def _hits(dialect: str, question: Question) -> list[Select[Any]]:
    """(key, term's number, weight): one for each field in which a term stands."""
    hits = [_titled(dialect, question.title)]
    for number, term in enumerate(question.terms):
        for field, weight in WEIGHTS.items():
            hits += _in_field(dialect, number, term, field, weight)
    return hits


def _titled(dialect: str, title: str) -> Select[Any]:
    key, column = (
        (DOCUMENTS.c.id, DOCUMENTS.c.title)
        if dialect == "sqlite"
        else (VECTORS.c.package_id, VECTORS.c.title)
    )
    return _weighed(select(key.label("key")).where(column == title), 0, JUST_THIS)


def _in_field(dialect: str, number: int, term: Term, field: str, weight: int) -> list[Select[Any]]:
    whole = containing(dialect, term.words, prefix=False, fields=[field])
    if not term.prefix:
        return [_weighed(whole, number, 2 * weight)]
    begun = containing(dialect, term.words, prefix=True, fields=[field])
    return [_weighed(begun, number, weight), _weighed(whole, number, weight)]


def _weighed(found: Select[Any], number: int, weight: int) -> Select[Any]:
    return found.add_columns(
        literal_column(str(number)).label("term"), literal_column(str(weight)).label("weight")
    )
