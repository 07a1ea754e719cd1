"""What does the search index look like to SQL? No model describes virtual tables: a migration makes them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import TSQUERY

FIELDS = ("name", "labels", "description", "readme")
"""From the most telling to the least."""

# SQLite: `documents` gives each package the number that is its rowid in the full text.
DOCUMENTS = table(
    "package_search_documents", column("id", Integer), column("package_id", Uuid), column("title", Text)
)
FULL_TEXT = table(
    "package_search", column("rowid", Integer), column("package_search", Text), *(column(f) for f in FIELDS)
)
TRIGRAMS = table("package_search_trigrams", column("rowid", Integer), column("package_search_trigrams", Text))

# PostgreSQL: one row a package.
VECTORS = table(
    "package_search", column("package_id", Uuid), column("title", Text), *(column(f) for f in FIELDS)
)

WORDS = table("package_search_words", column("id", Integer), column("word", Text))


def containing(
    dialect: str, words: Iterable[str], *, prefix: bool, fields: Iterable[str] = FIELDS
) -> Select[Any]:
    """Documents that have one of ``words`` in one of ``fields``, each by its key: number or package id.

    Words are letters and digits only (``app.domain.search``), so that quotes around them are safe.
    """
    if dialect == "sqlite":
        listed = " OR ".join(f'"{word}" *' if prefix else f'"{word}"' for word in words)
        found: ColumnElement[bool] = FULL_TEXT.c.package_search.op("MATCH", is_comparison=True)(
            f"{{{' '.join(fields)}}} : ({listed})"
        )
        return select(FULL_TEXT.c.rowid.label("key")).where(found)
    asked = _ts_query(words, prefix=prefix)
    hits = [VECTORS.c[field].op("@@", is_comparison=True)(asked) for field in fields]
    return select(VECTORS.c.package_id.label("key")).where(or_(*hits))


def knows(dialect: str, words: Iterable[str], *, prefix: bool) -> ColumnElement[bool]:
    """Whether any document has one of ``words``."""
    if dialect == "sqlite":
        return containing(dialect, words, prefix=prefix).exists()
    return func.package_search_knows(_ts_query(words, prefix=prefix), type_=Boolean)


def _ts_query(words: Iterable[str], *, prefix: bool) -> ColumnElement[Any]:
    listed = " | ".join(f"'{word}':*" if prefix else f"'{word}'" for word in words)
    return cast(cast(literal(listed), Text), TSQUERY)
