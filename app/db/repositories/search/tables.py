"""What does the search index look like to SQL? No model describes virtual tables: a migration makes them."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Text, Uuid, cast, column, literal, select, table
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
    listed = " | ".join(f"'{word}':*" if prefix else f"'{word}'" for word in words)
    asked = cast(cast(literal(listed), Text), TSQUERY)
    hits = [VECTORS.c[field].op("@@", is_comparison=True)(asked) for field in fields]
    return select(VECTORS.c.package_id.label("key")).where(_any_of(hits))


def _any_of(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    first, *others = conditions
    for other in others:
        first = first | other
    return first
